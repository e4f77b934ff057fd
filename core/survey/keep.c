#include "core/survey/keep.h"
#include "core/base/hash.h"
#include "core/base/str.h"

#include <string.h>

enum luc_status luc_keep_name(const struct luc_run *run, const char *kind, size_t layer,
                              char name[LUC_KEEP_NAME], struct luc_error *err)
{
    const struct luc_model *m = run->model;
    struct luc_str text = { 0 };
    struct luc_hash h = { 0 };
    char hex[LUC_HASH_HEX_MAX] = "";
    luc_str_printf(&text, "%s\nweights %s\nlayer %s\nfit %lld %d %zux%zu\nbackground %s\n", kind,
                   m->hash ? m->hash : m->name, m->graph->values[layer].name,
                   (long long)run->input->fit, (int)m->in.fit, m->in.width, m->in.height,
                   run->input->background);
    if (m->graph->precision != LUC_PRECISION_AUTO)
        luc_str_printf(&text, "precision %d\n", (int)m->graph->precision);
    for (size_t c = 0; c < 3; c++)
        luc_str_printf(&text, "%d %.9g %.9g\n", (int)m->in.channels, (double)m->in.mean[c],
                       (double)m->in.scale[c]);
    enum luc_status st =
        text.failed ? luc_fail_nomem(err, "a name", text.len) : luc_hash_init(&h, LUC_SHA256, err);
    if (!st) {
        luc_hash_update(&h, text.data, text.len);
        st = luc_hash_finish_hex(&h, hex, err);
    }
    luc_str_done(&text);
    memcpy(name, hex, LUC_KEEP_NAME - 1);
    name[LUC_KEEP_NAME - 1] = '\0';
    return st;
}

void *luc_keep_find(const struct luc_run *run, size_t i, const char *name, size_t *size)
{
    *size = 0;
    return run->hooks && run->hooks->recall ? run->hooks->recall(run->hooks->ctx, i, name, size)
                                            : NULL;
}

void luc_keep_put(const struct luc_run *run, size_t i, const char *name, const void *bytes,
                  size_t size)
{
    if (run->hooks && run->hooks->keep)
        run->hooks->keep(run->hooks->ctx, i, name, bytes, size);
}
