"""What the makers of golden files share: the test picture, the random stream, and the writer.

A golden is NET.json beside NET.npy. The npy is one flat float32 array; the JSON says which part of
it is what. Everything is computed in float64 and stored as float32; big tensors are stored at
SAMPLES seeded positions together with the norm of the whole.
"""
import json
import os

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = 2048
FULL = 4096  # tensors up to this many entries are stored whole
MASK = (1 << 64) - 1


class Rng:
    """xoshiro256** seeded by splitmix64: the stream of core/base/rng.h."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            z = seed
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
            self.s.append(z ^ (z >> 31))

    def bits(self):
        s = self.s
        x = (s[1] * 5) & MASK
        result = (((x << 7) | (x >> 57)) & MASK) * 9 & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = ((s[3] << 45) | (s[3] >> 19)) & MASK
        return result

    def uniform(self):
        return (self.bits() >> 11) * 2.0 ** -53


def positions(n, seed=1):
    """SAMPLES positions in [0, n), the same as golden_util.c draws."""
    rng = Rng(seed)
    return np.array([int(rng.uniform() * n) for _ in range(SAMPLES)])


def weights(shape, seed):
    """The fixed weights of a weighted sum, in [-1, 1), float32 values."""
    rng = Rng(seed)
    n = int(np.prod(shape))
    w = np.array([2.0 * rng.uniform() - 1.0 for _ in range(n)]).astype(np.float32)
    return torch.from_numpy(w.astype(np.float64)).reshape(tuple(shape))


def picture(height, width, dim=0):
    """The 64 x 64 cat enlarged to height x width and darkened by dim/256, RGB uint8, in integers so
    that C agrees."""
    cat = np.load(os.path.join(HERE, "cat_64.npy")).astype(np.int64)

    def axis(n):
        p = np.arange(n) * (63 * 256) // (n - 1)
        i = p >> 8
        return i, np.minimum(i + 1, 63), p & 255

    y0, y1, fy = axis(height)
    x0, x1, fx = axis(width)
    fy, fx = fy[:, None, None], fx[None, :, None]
    top = cat[y0][:, x0] * (256 - fx) + cat[y0][:, x1] * fx
    low = cat[y1][:, x0] * (256 - fx) + cat[y1][:, x1] * fx
    return (((top * (256 - fy) + low * fy) * (256 - dim) + (1 << 23)) >> 24).astype(np.uint8)


def network_input(height, width, order, mean, scale, dim=0):
    """(pixel - mean) * scale in float32 arithmetic, [1, 3, H, W], carried as float64."""
    rgb = picture(height, width, dim).astype(np.float32)
    x = rgb[:, :, ::-1] if order == "BGR" else rgb
    x = (x - np.array(mean, np.float32)) * np.array(scale, np.float32)
    x = np.ascontiguousarray(x.transpose(2, 0, 1))[None]
    return torch.from_numpy(x.astype(np.float64))


class Relu(torch.autograd.Function):
    """ReLU with the backward rule as an option: plain, guided, deconv."""

    @staticmethod
    def forward(ctx, x, rule):
        y = x.clamp(min=0)
        ctx.save_for_backward(y)
        ctx.rule = rule
        return y

    @staticmethod
    def backward(ctx, dy):
        (y,) = ctx.saved_tensors
        if ctx.rule == "plain":
            return dy * (y > 0), None
        if ctx.rule == "guided":
            return dy * (y > 0) * (dy > 0), None
        return dy * (dy > 0), None


class Writer:
    """Collects named tensors, then writes NET.json and NET.npy."""

    def __init__(self, net, **head):
        self.net, self.head, self.entries, self.parts, self.n = net, head, [], [], 0

    def put(self, name, tensor, tensor32=None):
        """tensor32: what PyTorch gives in float32; its distance is kept for comparison."""
        a = tensor.detach().numpy().astype(np.float64)
        flat = a.reshape(-1)
        sampled = flat.size > FULL
        entry = {"name": name, "shape": list(a.shape), "sampled": sampled, "at": self.n,
                 "norm": float(np.sqrt((flat ** 2).sum()))}
        if tensor32 is not None:
            d = tensor32.detach().numpy().astype(np.float64).reshape(-1) - flat
            entry["torch_float32"] = float("%.3g" % (np.sqrt((d ** 2).sum()) / entry["norm"]))
        part = (flat[positions(flat.size)] if sampled else flat).astype(np.float32)
        entry["count"] = int(part.size)
        self.entries.append(entry)
        self.parts.append(part)
        self.n += part.size
        print("%-16s %-44s %-18s norm %.6g  float32 %s" % (
            self.net, name, a.shape, entry["norm"], entry.get("torch_float32", "-")))

    def close(self):
        np.save(os.path.join(HERE, self.net + ".npy"), np.concatenate(self.parts))
        doc = dict(self.head, arrays=self.entries)
        with open(os.path.join(HERE, self.net + ".json"), "w") as f:
            head = json.dumps(self.head)
            f.write(head[:-1] + (", " if self.head else "") + '"arrays": [\n')
            f.write(",\n".join(json.dumps(e) for e in self.entries) + "\n]}\n")
        return doc


def both(run, *tensors):
    """run() in float64 and in float32; pairs for Writer.put."""
    a = run(*tensors)
    b = run(*[t.float() for t in tensors])
    return list(zip(a, b))
