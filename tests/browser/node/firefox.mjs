// Drives Firefox over WebDriver BiDi: looks at a link on the page, plays it, saves it, and prints what it has seen as JSON.
// firefox.mjs FIREFOX PAGE LINK FOLDER
import puppeteer from "puppeteer-core";

const [executablePath, address, link, folder] = process.argv.slice(2);
const extraPrefsFirefox = {
  "browser.download.dir": folder,
  "browser.download.folderList": 2,
  "browser.download.useDownloadDir": true,
  "browser.download.alwaysOpenPanel": false,
  "media.autoplay.default": 0,
  "intl.accept_languages": "de",
};
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true, extraPrefsFirefox });
try {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(address);
  const wait = async (what, holds) => {
    for (let tries = 0; !(await page.evaluate(holds)); tries++) {
      if (tries > 600) throw new Error(`${what}: ${await page.evaluate(() => document.querySelector("main").innerText)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await wait("script", () => document.documentElement.dataset.ready === "yes");
  await page.type("#address", link);
  await page.keyboard.press("Enter");
  await wait("card", () => !document.getElementById("card").hidden);
  await page.click("#watch");
  await wait("playing", () => document.getElementById("video").currentTime > 0.2);
  const duration = await page.evaluate(() => document.getElementById("video").duration);
  await page.click("#save");
  await wait("saved", () => !document.getElementById("done").hidden);
  const [language, heading, done] = await page.evaluate(() =>
    [document.documentElement.lang, document.querySelector("h1").innerText, document.getElementById("done").innerText]);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  console.log(JSON.stringify({ duration, language, heading, done, errors }));
} finally {
  await browser.close();
}
