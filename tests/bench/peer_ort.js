// onnxruntime's side of bench.py: forward only, the same words on stdin and stdout as bench_net.c.
//     node peer_ort.js NETWORK SIZE forward THREADS
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const ort = require('onnxruntime-node');

async function main() {
  const [name, size, , threads] = process.argv.slice(2);
  const n = Number(size);
  const shared = path.join(process.env.LUCIDA_SHARED || '../shared', 'models', name + '.onnx');
  const exported = path.join('build/bench', name + '.onnx');
  const session = await ort.InferenceSession.create(fs.existsSync(shared) ? shared : exported,
      {intraOpNumThreads: Number(threads), interOpNumThreads: 1, graphOptimizationLevel: 'all'});
  const data = Float32Array.from({length: 3 * n * n}, (_, i) => (i * 7919) % 255 - 127);
  const feeds = {[session.inputNames[0]]: new ort.Tensor('float32', data, [1, 3, n, n])};
  const turn = async () => {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    return Number(process.hrtime.bigint() - start) / 1e6;
  };
  for (let i = 0; i < 3; i++) await turn();
  console.log('ready onnxruntime-node ' + require('onnxruntime-node/package.json').version);
  for await (const line of readline.createInterface({input: process.stdin})) {
    console.log((await turn()).toFixed(4) + line);
  }
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  console.log('peak ' + /VmHWM:\s+(\d+)/.exec(status)[1]);
}

main().catch((e) => { console.error(e.message.split('\n')[0]); process.exit(1); });
