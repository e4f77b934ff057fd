"""Quick explanations beside PyTorch doing the same, on SqueezeNet 1.1 and two threads.

    python3 explain.py LUCIDA SQUEEZENET.onnx MODELS_DIR PORT [METHOD...]

lucida's time is that of a whole request to a server that has the network loaded (decoding, drawing
and encoding included, the picture is 224x224); PyTorch's that of the computation alone. The
median of five after one to warm up, in ms. LUCIDA is started and stopped here.
"""
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

import torch
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))
from golden_lib import network_input, picture  # noqa: E402
from onnx_torch import OnnxNet  # noqa: E402

lucida, onnx, models, port = sys.argv[1:5]
wanted = sys.argv[5:]
torch.set_num_threads(2)
net = OnnxNet(onnx)
params = net.params(torch.float32)
last = [n.output[0] for n in net.graph.node if n.op_type == "Relu"][-1]
x = network_input(224, 224, "RGB", [123.675, 116.28, 103.53], [1 / 58.395, 1 / 57.12, 1 / 57.375]).float()


def run(t, rule="plain"):
    return net.run(t, rule, params)


def gradient(t, rule="plain", wrt=None):
    t = t.clone().requires_grad_(True)
    v = run(t, rule)
    return torch.autograd.grad(v["logits"].reshape(-1).max(), v[wrt] if wrt else t)[0], v


def cam():
    g, v = gradient(x, wrt=last)
    return (g.mean((2, 3), keepdim=True) * v[last]).sum(1).clamp(min=0)


CASES = {
    "classify": lambda: run(x)["logits"].softmax(-1),
    "saliency": lambda: gradient(x)[0].abs().amax(1),
    "guided-backprop": lambda: gradient(x, "guided")[0],
    "grad-cam": cam,
    "smoothgrad": lambda: sum(gradient(x + 0.6 * torch.randn_like(x))[0] for _ in range(25)),
    "integrated-gradients": lambda: sum(gradient(x * (k + 1) / 50)[0] for k in range(50)),
}


def median(call, turns=5):
    call()
    times = []
    for _ in range(turns):
        at = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - at))
    return sorted(times)[turns // 2]


def main():
    with tempfile.TemporaryDirectory() as data:
        png = os.path.join(data, "cat.png")
        Image.fromarray(picture(224, 224)).save(png)
        body = open(png, "rb").read()
        server = subprocess.Popen([lucida, "serve", "--listen", "127.0.0.1:" + port, "--models",
                                   models, "--data", data], stderr=subprocess.DEVNULL)

        def ask(method):
            request = urllib.request.Request(
                "http://127.0.0.1:%s/%s?model=squeezenet1_1&format=json" % (port, method), body,
                {"Content-Type": "image/png"})
            return urllib.request.urlopen(request).read()

        try:
            for _ in range(100):
                try:
                    ask("classify")
                    break
                except OSError:
                    time.sleep(0.1)
            print("%-22s %8s %8s" % ("ms", "lucida", "PyTorch"))
            for name, call in CASES.items():
                if wanted and name not in wanted:
                    continue
                turns = 3 if name in ("smoothgrad", "integrated-gradients") else 5
                print("%-22s %8.1f %8.1f" % (name, median(lambda: ask(name), turns),
                                             median(call, turns)), flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
