#!/usr/bin/env python3
"""Do the papers' orderings hold here? Slow; run by hand.

    tests/check_orderings.py LUCIDA FOLDER [--pictures 50] [--model NAME] [--models DIR]

Over the first pictures of a folder of photographs (every n-th, so that they differ), prints

- deletion and insertion AUC and ROAD of several maps: RISE and Grad-CAM beat the plain gradient on
  insertion (Petsiuk et al. 2018, table 2);
- how alike a map is to itself when the network's last layer, half of its layers, all of its layers
  are random: gradient and Grad-CAM change, guided backpropagation hardly does (Adebayo et al. 2018,
  figure 2 and 4).

Exit status 1 when one of these does not hold on average.
"""
import argparse
import glob
import json
import os
import subprocess
import sys

METHODS = ("rise masks=300, grad-cam, integrated-gradients steps=10, guided-backprop, "
           "smoothgrad samples=10, saliency")
CHECKED = ["saliency", "grad-cam", "guided-backprop"]


def run(args, what, picture, **settings):
    command = [args.lucida, "run", what, picture, "--format", "json", "--model", args.model]
    if args.models:
        command += ["--models", args.models]
    for key, value in settings.items():
        command += ["--" + key, str(value)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL).stdout)["result"]


def mean(values):
    return sum(values) / len(values)


def look(args, picture, scores, alike):
    for row in run(args, "compare", picture, methods=METHODS, steps=24, road=2)["methods"]:
        scores.setdefault(row["method"], []).append(
            (row["insertion_auc"], row["deletion_auc"], row["road"]))
    for name in CHECKED:
        found = run(args, "evaluate", picture, method=name, steps=1, road=0, sensitivity=0,
                    randomise=3)["randomised"]
        for stage, row in enumerate(found):
            alike[name][stage].append((row["spearman_abs"], row["ssim"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lucida")
    parser.add_argument("folder")
    parser.add_argument("--pictures", type=int, default=50)
    parser.add_argument("--model", default="squeezenet1_1")
    parser.add_argument("--models")
    args = parser.parse_args()
    every = sorted(glob.glob(os.path.join(args.folder, "*.jpg")))
    pictures = every[::max(1, len(every) // args.pictures)][:args.pictures]
    scores, alike = {}, {name: [[], [], []] for name in CHECKED}
    done = 0
    try:
        for picture in pictures:
            look(args, picture, scores, alike)
            done += 1
            print("%d/%d %s" % (done, len(pictures), os.path.basename(picture)), file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted: what follows is of the first ones", file=sys.stderr)
    print("%s, %d pictures\n" % (args.model, done))
    print("%-22s %9s %9s %9s" % ("map", "insertion", "deletion", "ROAD"))
    insertion = {name: mean([s[0] for s in rows]) for name, rows in scores.items()}
    for name in sorted(scores, key=lambda n: -insertion[n]):
        print("%-22s %9.3f %9.3f %+9.3f" % (name, insertion[name], mean([s[1] for s in scores[name]]),
                                            mean([s[2] for s in scores[name]])))
    print("\n%-22s %s" % ("rank corr. (SSIM)", "   last layer   half of them            all"))
    rank = {}
    for name in CHECKED:
        rank[name] = [mean([a[0] for a in stage]) for stage in alike[name]]
        print("%-22s %s" % (name, "  ".join("%6.3f (%5.3f)" % (r, mean([a[1] for a in stage]))
                                            for r, stage in zip(rank[name], alike[name]))))
    holds = {
        "RISE beats the gradient on insertion": insertion["rise"] > insertion["saliency"],
        "Grad-CAM beats the gradient on insertion": insertion["grad-cam"] > insertion["saliency"],
        "the gradient changes more than guided backpropagation":
            rank["saliency"][2] < rank["guided-backprop"][2] - 0.1,
        "Grad-CAM changes more than guided backpropagation":
            rank["grad-cam"][2] < rank["guided-backprop"][2] - 0.1,
    }
    print()
    for name, yes in holds.items():
        print("%-60s %s" % (name, "yes" if yes else "NO"))
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
