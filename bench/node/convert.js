// Copies the tracks of an HLS source into a fragmented MP4 on standard output: node convert.js URL
import fs from 'node:fs';
import { ALL_FORMATS, Conversion, Input, Mp4OutputFormat, Output, StreamTarget, UrlSource } from 'mediabunny';

const write = (data) => {
	for (let at = 0; at < data.length; ) {
		at += fs.writeSync(1, data, at);
	}
};
const input = new Input({
	formats: ALL_FORMATS,
	source: new UrlSource(process.argv[2], { getRetryDelay: () => null, parallelism: 8 }),
});
const output = new Output({
	format: new Mp4OutputFormat({ fastStart: 'fragmented' }),
	target: new StreamTarget(new WritableStream({ write: (chunk) => write(chunk.data) })),
});
const conversion = await Conversion.init({ input, output, showWarnings: false });
if (!conversion.isValid) {
	throw new Error(JSON.stringify(conversion.discardedTracks.map((track) => track.reason)));
}
await conversion.execute();
process.exit(0);
