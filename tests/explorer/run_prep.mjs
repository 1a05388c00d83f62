// Reads pictures from stdin as JSON, runs prep.js on them, writes every stage to stdout.
import { preprocess } from "../../explorer/src/prep.js";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const jobs = JSON.parse(Buffer.concat(chunks).toString());
const done = jobs.map(({ picture, input, off }) => {
  const { stages, x } = preprocess(picture, input, (name) => !off.includes(name));
  return { stages: stages.map(({ name, grid }) => ({ name, rows: grid.rows, cols: grid.cols, data: [...grid.data] })), x: [...x] };
});
process.stdout.write(JSON.stringify(done));
