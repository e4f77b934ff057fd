#include "config/config.h"

#define GIB ((double)(1ull << 30))
#define TIB (1024 * GIB)

/* clang-format off */
const struct luc_param cfg_rows[] = {
    LUC_TEXT(struct cfg, listen, "127.0.0.1:8080",
             "Address and port to listen on; port 0 takes a free one."),
    LUC_TEXT(struct cfg, models, "",
             "Directory of the networks; empty: lucida/models under the XDG data directory."),
    LUC_TEXT(struct cfg, data, "",
             "Directory for what the server keeps; empty: lucida/data under the XDG data directory."),
    LUC_TEXT(struct cfg, default_model, "resnet50",
             "Network that answers when a request names none."),
    LUC_TEXT(struct cfg, catalog, "",
             "File that lists the networks to pull; empty: the one inside the program."),
    LUC_TEXT(struct cfg, npm_registry, "",
             "Base URL of the npm registry that networks are pulled from; empty: ask npm."),
    LUC_BOOL(struct cfg, insecure, 0,
             "Listen on an address that other machines reach, although no keys are set."),
    LUC_INT(struct cfg, workers, 0, 0, 1024, "",
            "Jobs that run at the same time; 0: one per core."),
    LUC_INT(struct cfg, threads, 0, 0, 1024, "",
            "Threads that one job may use while others are idle; 0: one per core."),
    LUC_INT(struct cfg, queue, 64, 1, 1e6, "",
            "Requests that wait for a worker; more are refused with 503."),
    LUC_INT(struct cfg, connections, 256, 1, 65536, "",
            "Connections open at the same time."),
    LUC_INT(struct cfg, body_bytes, 32 * 1024 * 1024, 1024, 2 * GIB, "bytes",
            "Largest request body."),
    LUC_INT(struct cfg, image_pixels, 40e6, 1, 1e9, "px",
            "Largest uploaded picture, known from its header before it is decoded."),
    LUC_INT(struct cfg, job_bytes, 2 * GIB, 1024 * 1024, TIB, "bytes",
            "Memory of one job, beside the network's weights."),
    LUC_INT(struct cfg, models_bytes, 2 * GIB, 1024 * 1024, TIB, "bytes",
            "Memory of all loaded networks; the least used go first."),
    LUC_INT(struct cfg, idle_s, 30, 1, 3600, "s",
            "A connection that neither sends nor reads for this long is closed."),
    LUC_INT(struct cfg, job_s, 120, 1, 86400, "s",
            "Longest time that a request may wait and run before it is given up with 503."),
    LUC_INT(struct cfg, shutdown_s, 20, 0, 3600, "s",
            "Time that running requests get to finish after SIGTERM."),
    LUC_PARAM_END,
};
/* clang-format on */
