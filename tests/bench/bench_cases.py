"""What ./dev bench times: cases, their goals, and the programs that run for each contestant."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILT = os.path.join(ROOT, "build/release/tests")
SHARED = os.path.join(os.environ.get("LUCIDA_SHARED") or "../shared", "models")
EXPORTS = os.path.join(ROOT, "build/bench")
NODE = {"NODE_PATH": os.path.join(EXPORTS, "node_modules")}
LAYOUTS = ("plain", "channels_last")


def torch_python():
    """Debian's Python, where python3-torch is; another Python on the PATH may not see it."""
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def torch_env(threads):
    return {"OPENBLAS_CORETYPE": "SkylakeX", "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": str(threads)}


class Case:
    """One network asked one thing. `goal`: how many times faster than its fastest peer it is meant to
    be; `turns`: at most."""
    turns = None

    def __init__(self, name, network, goal):
        self.name, self.network, self.goal = name, network, goal

    def find(self):
        """The ONNX file, or None."""
        for folder in (SHARED, EXPORTS):
            path = os.path.join(folder, self.network + ".onnx")
            if os.path.exists(path):
                return path
        return None

    def ours(self):
        """What lucida and PyTorch are told: they read the pulled ResNet-50, onnxruntime its export."""
        return "resnet50" if self.network == "resnet50" else self.find()

    def export(self):
        return self.find() or os.path.join(EXPORTS, self.network + ".onnx")

    def runnable(self):
        return self.ours() is not None

    def contestants(self, threads, peers):
        """(name, arguments, environment) of each."""
        yield "lucida", [os.path.join(BUILT, self.program)] + self.lucida(str(threads)), {}
        for layout in LAYOUTS if "torch" in peers and self.torch_script else ():
            yield "torch", [torch_python(), os.path.join(HERE, self.torch_script)] + \
                self.torch(str(threads), layout), torch_env(threads)
        if "ort" in peers and self.ort_script:
            yield "ort", ["node", os.path.join(HERE, self.ort_script)] + self.ort(str(threads)), NODE


class Net(Case):
    """`fast`: the plan that methods making pictures use, Winograd's convolutions included."""
    program, torch_script = "bench_net", "peer_torch.py"

    def __init__(self, name, network, height, width, goal, batch=1, mode="forward", fast="strict"):
        super().__init__(name, network, goal)
        self.rest = [str(height), str(width), str(batch), mode]
        self.fast = fast
        self.ort_script = "peer_ort.js" if mode == "forward" else None

    def lucida(self, threads):
        return [self.ours()] + self.rest + [self.fast, threads]

    def torch(self, threads, layout):
        return [self.ours()] + self.rest + [threads, layout]

    def ort(self, threads):
        return [self.export()] + self.rest + [threads]


class Gatys(Case):
    """A whole step of style transfer. `layers`: ReLUs, the style's, then the content's."""
    program, torch_script, ort_script = "bench_gatys", "peer_gatys.py", None

    def __init__(self, name, network, side, paint, optimiser, layers, goal):
        super().__init__(name, network, goal)
        self.rest = [str(side), paint, optimiser, layers]

    def lucida(self, threads):
        return [self.ours()] + self.rest + [threads]

    def torch(self, threads, layout):
        return [self.ours()] + self.rest + [threads, layout]


class Occlusion(Case):
    """A whole map, patch 32 and stride 8: the method beside the same positions run whole. `more`:
    parameters of the method."""
    program, torch_script, ort_script = "bench_occlusion", None, "peer_occlusion.js"
    turns = 3

    def __init__(self, name, network, goal, *more):
        super().__init__(name, network, goal)
        self.more = list(more)

    def lucida(self, threads):
        return [self.ours(), "224", "32", "8", threads] + self.more

    def ort(self, threads):
        return [self.export(), "224", "32", "8", threads]


CASES = [
    Net("resnet50", "resnet50", 224, 224, 1.1),
    Net("resnet50-fast", "resnet50", 224, 224, 1.1, fast="fast"),
    Net("resnet50-gradient", "resnet50", 224, 224, 1, mode="gradient"),
    Net("resnet50-batch32", "resnet50", 224, 224, 1, batch=32),
    Net("squeezenet", "squeezenet1_1", 224, 224, 1),
    Net("squeezenet-batch32", "squeezenet1_1", 224, 224, 1.1, batch=32),
    Net("mobilenet", "mobilenet", 224, 224, 1),
    Net("alexnet-fc", "alexnet_fc", 48, 64, 1),
    Net("vgg19-224", "vgg19_features", 224, 224, 1.65, fast="fast"),
    Net("vgg19-512", "vgg19_features", 512, 512, 2.3, fast="fast"),
    Net("vgg19-512-gradient", "vgg19_features", 512, 512, 2.7, mode="gradient", fast="fast"),
    Net("johnson-512", "style_candy", 512, 512, 1.8, fast="fast"),
    Net("johnson-1024", "style_candy", 1024, 1024, 1.9, fast="fast"),
    Gatys("gatys-512", "vgg19_features", 512, "pixel", "lbfgs", "0,2,4,8,12,9", 3),
    Gatys("gatys-resnet50-512", "resnet50", 512, "fourier", "adam", "0,9,21,39,39", 1),
    Occlusion("occlusion-resnet50", "resnet50", 4),
    Occlusion("occlusion-squeezenet", "squeezenet1_1", 1),
    Occlusion("occlusion-vgg19", "vgg19_features", 1),
]
