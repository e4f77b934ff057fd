/* config.h -- every setting of the server, from one table.
 *
 * Precedence: default < file < environment (LUCIDA_<KEY>) < flag (--key). The file has lines of
 * `key = value`; '#' starts a comment. It is named by --config or LUCIDA_CONFIG; without either,
 * $XDG_CONFIG_HOME/lucida/lucida.conf and /etc/lucida.conf are tried and need not exist.
 * config/lucida.conf in the repository is cfg_print() of the defaults, and a test compares them.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "core/base/param.h"

#include <stdbool.h>

#define CFG_FILE_MAX ((size_t)1 << 20) /* bytes of a configuration file */

struct cfg {
    char listen[LUC_TEXT_MAX], models[LUC_TEXT_MAX], data[LUC_TEXT_MAX],
        default_model[LUC_TEXT_MAX];
    char catalog[LUC_TEXT_MAX], npm_registry[LUC_TEXT_MAX];
    int64_t insecure, precision;
    int64_t workers, threads, queue, connections;
    int64_t body_bytes, image_pixels, job_bytes, memory_bytes, models_bytes;
    int64_t idle_s, job_s, shutdown_s;
    int64_t key_requests, key_queued, key_running;
    int64_t jobs, attempts, lease_s, checkpoint_s, results_s, wait_s, run_s;
    int64_t collections, collection_images, collection_bytes, features_bytes;
};

extern const struct luc_param cfg_rows[];

/* Every default; paths that depend on the person stay "" until cfg_paths(). */
void cfg_default(struct cfg *c);

/* The text of a configuration file; `name` is for messages, which give the line. */
LUC_MUST_USE enum luc_status cfg_read_text(struct cfg *c, const char *text, const char *name,
                                           struct luc_error *err);
/* Variables LUCIDA_<KEY> out of `env` (as environ). Unknown LUCIDA_* names are an error, but for
 * LUCIDA_CONFIG, LUCIDA_SHARED and LUCIDA_TEST_* (where tests find their networks). */
LUC_MUST_USE enum luc_status cfg_read_env(struct cfg *c, char *const *env, struct luc_error *err);
/* Takes `--key value`, `--key=value` and `--switch` of known keys out of argv[1..], leaving the
 * rest in order. "--" ends the search. '-' and '_' are the same in a key. */
LUC_MUST_USE enum luc_status cfg_read_args(struct cfg *c, int *argc, char **argv,
                                           struct luc_error *err);
/* All of the above in order of precedence; also takes `--config FILE`. */
LUC_MUST_USE enum luc_status cfg_load(struct cfg *c, int *argc, char **argv, char *const *env,
                                      struct luc_error *err);

/* Fills empty paths: $XDG_DATA_HOME/lucida/models and .../data. */
LUC_MUST_USE enum luc_status cfg_paths(struct cfg *c, char *const *env, struct luc_error *err);

/* A commented file; values that equal their default are commented out. */
void cfg_print(const struct cfg *c, struct luc_str *out);

#endif
