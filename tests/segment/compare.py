#!/usr/bin/env python3
"""Compares `lucida run segment` with OpenCV's grabCut from the same seeds on photographs with masks
drawn by hand (the polygons beside this file).

    compare.py LUCIDA PHOTOGRAPHS [--method NAME] [--box] [--PARAMETER VALUE]...

For each photograph: intersection over union with the drawn mask, and the energy of both results,
written here from the paper with numpy alone. Each mask is given the mixtures that fit it best (the
best of several starts of k-means, then hard assignment until it rests), so that neither result is
judged by the other's colours. --box: seeds are the box around the drawn mask instead of a map, and
LUCIDA is test_segment_photos. Needs python3-opencv, python3-numpy."""
import base64
import glob
import json
import os
import subprocess
import sys
import time

import cv2
import numpy as np

GAMMA, PARTS, ITERATIONS = 50.0, 5, 5
LEVELS = {0: cv2.GC_BGD, 85: cv2.GC_PR_BGD, 170: cv2.GC_PR_FGD, 255: cv2.GC_FGD}


def drawn_mask(drawing, shape):
    """A pixel is inside when its middle is, by the even-odd rule."""
    h, w = shape
    mask = np.zeros((h, w), bool)
    for key, value in (("polygons", True), ("holes", False)):
        for polygon in drawing[key]:
            mask[inside(np.array(polygon), w, h)] = value
    return mask


def inside(polygon, w, h):
    x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    odd = np.zeros((h, w), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, 0)):
        if y0 == y1:
            continue
        crosses = (y0 <= y) != (y1 <= y)
        odd ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return odd


def fit(z, start):
    """The least sum of D over pixels z [n, 3] that one start of k-means leads to."""
    rng = np.random.RandomState(start)
    centres = z[rng.choice(len(z), PARTS)]
    held = None
    for _ in range(10):
        held = ((z[:, None] - centres) ** 2).sum(2).argmin(1)
        centres = np.array([z[held == k].mean(0) if (held == k).any() else centres[k]
                            for k in range(PARTS)])
    best = np.inf
    for _ in range(60):
        cost = np.full((len(z), PARTS), np.inf)
        for k in range(PARTS):
            mine = z[held == k]
            if len(mine) == 0:
                continue
            s = np.cov(mine.T, bias=True) + np.eye(3) / 12
            d = z - mine.mean(0)
            cost[:, k] = (-np.log(len(mine) / len(z)) + 0.5 * np.linalg.slogdet(s)[1] +
                          0.5 * np.einsum("ij,jk,ik->i", d, np.linalg.inv(s), d))
        held = cost.argmin(1)
        total = cost.min(1).sum()
        if total > best - 1e-4 * abs(best):
            break
        best = total
    return min(best, total)


def links(picture, mask):
    z = picture.astype(float)
    pairs = [((slice(None), slice(None, -1)), (slice(None), slice(1, None)), 1.0),
             ((slice(None, -1), slice(None)), (slice(1, None), slice(None)), 1.0),
             ((slice(None, -1), slice(None, -1)), (slice(1, None), slice(1, None)), 2 ** 0.5),
             ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1)), 2 ** 0.5)]
    squares = [((z[a] - z[b]) ** 2).sum(2) for a, b, _ in pairs]
    beta = sum(s.size for s in squares) / (2 * sum(s.sum() for s in squares))
    return sum(GAMMA / dist * np.exp(-beta * s)[mask[a] != mask[b]].sum()
               for (a, b, dist), s in zip(pairs, squares))


def energy(picture, mask, starts=2):
    sides = [picture[side].astype(float) for side in (mask, ~mask)]
    return links(picture, mask) + sum(min(fit(z, s) for s in range(starts)) for z in sides if len(z))


def decode(item):
    data = base64.b64decode(item["data"].split(",", 1)[1])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def ours(lucida, photograph, settings):
    out = subprocess.run([lucida, "run", "segment", photograph, "--format", "json", "--embed", "true",
                          "--size", "4096"] + settings, check=True, capture_output=True)
    result = json.loads(out.stdout)["result"]
    return decode(result["mask"]) > 127, decode(result["seeds"]), result


def boxed(program, photograph, drawing, box):
    """Box seeds: test_segment_photos PHOTOGRAPH X Y WIDTH HEIGHT writes the mask as a PGM."""
    out = subprocess.run([program, photograph] + [str(v) for v in box], check=True, capture_output=True)
    return cv2.imdecode(np.frombuffer(out.stdout, np.uint8), cv2.IMREAD_UNCHANGED) > 127


def theirs(picture, seeds):
    mask = np.vectorize(LEVELS.get)(seeds).astype(np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, mask, None, *models, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    return (mask & 1).astype(bool)


def iou(a, b):
    return (a & b).sum() / max(1, (a | b).sum())


def main():
    args = sys.argv[1:]
    by_box = "--box" in args
    args = [a for a in args if a != "--box"]
    lucida, photographs, settings = args[0], args[1], args[2:]
    cv2.setNumThreads(1)
    table = []
    print("photograph          IoU ours  OpenCV  energy ours       OpenCV     seconds OpenCV")
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*.json"))):
        with open(path) as f:
            drawing = json.load(f)
        photograph = os.path.join(photographs, drawing["photograph"])
        picture = cv2.imread(photograph)
        truth = drawn_mask(drawing, picture.shape[:2])
        if by_box:
            ys, xs = np.nonzero(truth)
            box = xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1
            seeds = np.zeros(truth.shape, np.uint8)
            seeds[box[1]:box[1] + box[3], box[0]:box[0] + box[2]] = 170
            mine = boxed(lucida, photograph, drawing, box)
        else:
            mine, seeds, _ = ours(lucida, photograph, settings)
        before = time.time()
        other = theirs(picture, seeds)
        seconds = time.time() - before
        row = [iou(mine, truth), iou(other, truth), energy(picture, mine), energy(picture, other)]
        table.append(row)
        print("%-20s %7.3f %7.3f %12.0f %12.0f %11.2f" %
              (drawing["photograph"], *row, seconds), flush=True)
    means = np.array(table).mean(0)
    print("%-20s %7.3f %7.3f %12.0f %12.0f" % ("mean", *means))


if __name__ == "__main__":
    main()
