// onnxruntime's occlusion map for bench.py: every covered picture runs whole, 32 at once.
//     node peer_occlusion.js FILE.onnx SIDE PATCH STRIDE THREADS
'use strict';
const {converse, open} = require('./peer_ort.js');
const ort = require('onnxruntime-node');

const BATCH = 32;

function corners(side, patch, stride) {
  const all = [];
  for (let at = 0; at < side - patch; at += stride) all.push(at);
  all.push(side - patch);
  return all;
}

// Copies the square at (y, x) of `from` into slot `slot` of `to`.
function lay(from, to, slot, y, x, side, patch) {
  for (let c = 0; c < 3; c++) {
    for (let row = y; row < y + patch; row++) {
      const at = (c * side + row) * side + x;
      to.set(from.subarray(at, at + patch), slot * from.length + at);
    }
  }
}

async function main() {
  const [file, s, p, t, threads] = process.argv.slice(2);
  const [side, patch, stride] = [s, p, t].map(Number);
  const session = await open(file, threads);
  const picture = Float32Array.from({length: 3 * side * side}, (_, i) => (i * 7919) % 255 - 127);
  const covered = new Float32Array(picture.length);  // the network's mean colour
  const places = corners(side, patch, stride);
  const positions = places.flatMap((y) => places.map((x) => [y, x]));
  const data = new Float32Array(BATCH * picture.length);
  const scores = [];
  for (let i = 0; i < BATCH; i++) data.set(picture, i * picture.length);

  const run = async (from) => {
    const some = positions.slice(from, from + BATCH);
    some.forEach(([y, x], i) => lay(covered, data, i, y, x, side, patch));
    const input = new ort.Tensor('float32', data.subarray(0, some.length * picture.length),
        [some.length, 3, side, side]);
    const out = (await session.run({[session.inputNames[0]]: input}))[session.outputNames[0]];
    const each = out.data.length / some.length;
    some.forEach(([y, x], i) => {
      lay(picture, data, i, y, x, side, patch);
      scores[from + i] = out.data[i * each];
    });
  };
  const turn = async () => {
    for (let from = 0; from < positions.length; from += BATCH) await run(from);
  };
  await run(0);
  await converse(turn);
}

main().catch((e) => { console.error(e.message.split('\n')[0]); process.exit(1); });
