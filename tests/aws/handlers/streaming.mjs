// A handler for AWS's Node client; the path of the request selects what it does.
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const body = awslambda.HttpResponseStream.from(stream, {
    statusCode: 200,
    headers: { "content-type": "video/mp4", "x-content-duration": "1.5" },
    cookies: ["a=b"],
  });
  body.write("hello ");
  if (event.rawPath === "/fail") {
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw new RangeError("no more of it");
  }
  body.write(event.rawPath);
  body.end();
  await new Promise((resolve) => stream.on("finish", resolve));
});
