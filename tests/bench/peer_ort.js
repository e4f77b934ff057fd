// onnxruntime's side of bench.py: forward only, the same words on stdin and stdout as bench_net.c.
//     node peer_ort.js FILE.onnx HEIGHT WIDTH BATCH forward THREADS
'use strict';
const fs = require('fs');
const readline = require('readline');
const ort = require('onnxruntime-node');

function open(file, threads) {
  return ort.InferenceSession.create(file,
      {intraOpNumThreads: Number(threads), interOpNumThreads: 1, graphOptimizationLevel: 'all'});
}

// A turn for each line read, once warm; what bench_common.c says, too.
async function converse(turn) {
  const {version} = require('onnxruntime-node/package.json');
  console.log('ready ' + JSON.stringify({version}));
  for await (const line of readline.createInterface({input: process.stdin})) {
    const start = process.hrtime.bigint();
    await turn();
    console.log((Number(process.hrtime.bigint() - start) / 1e6).toFixed(4) + line);
  }
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  console.log('peak ' + /VmHWM:\s+(\d+)/.exec(status)[1]);
}

async function main() {
  const [file, h, w, n, , threads] = process.argv.slice(2);
  const session = await open(file, threads);
  const dims = [Number(n), 3, Number(h), Number(w)];
  const length = dims.reduce((a, b) => a * b);
  const data = Float32Array.from({length}, (_, i) => (i * 7919) % 255 - 127);
  const feeds = {[session.inputNames[0]]: new ort.Tensor('float32', data, dims)};
  const turn = () => session.run(feeds);
  for (let i = 0; i < 3; i++) await turn();
  await converse(turn);
}

module.exports = {converse, open};
if (require.main === module) {
  main().catch((e) => { console.error(e.message.split('\n')[0]); process.exit(1); });
}
