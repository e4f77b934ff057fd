#define _GNU_SOURCE /* sched_getaffinity */
#include "server/services.h"
#include "config/catalog.h"
#include "core/tensor/blas.h"
#include "server/http/metrics.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define CATALOG_BYTES ((size_t)64 << 20)

extern const struct luc_embedded srv_static_files[];

static enum luc_status model_get(void *ctx, const char *name, const struct luc_model **model,
                                 struct luc_error *err)
{
    return srv_registry_get(((struct srv_services *)ctx)->registry, name, model, err);
}

static void model_put(void *ctx, const struct luc_model *model)
{
    srv_registry_put(((struct srv_services *)ctx)->registry, model);
}

/* Hands the registry's rows on as the API's. */
struct forward {
    void (*each)(void *to, const struct api_model_info *info);
    void *to;
};

static void forward_row(void *ctx, const struct srv_model_info *m)
{
    const struct forward *f = ctx;
    f->each(f->to, &(struct api_model_info){ .name = m->name,
                                             .title = m->title,
                                             .task = m->task,
                                             .licence = m->licence,
                                             .installed = m->installed && !m->problem,
                                             .loaded = m->loaded });
}

static enum luc_status models(void *ctx, void (*each)(void *, const struct api_model_info *),
                              void *to, struct luc_error *err)
{
    struct forward f = { each, to };
    return srv_registry_list(((struct srv_services *)ctx)->registry, forward_row, &f, err);
}

static enum luc_status ready(void *ctx, struct luc_error *err)
{
    const struct srv_services *s = ctx;
    return srv_registry_check(s->registry, s->env.model, err);
}

static void metrics(void *ctx, struct luc_str *out)
{
    struct srv_registry *r = ((struct srv_services *)ctx)->registry;
    srv_metric(out, "lucida_models_bytes", "gauge", "Memory of the loaded networks.",
               (double)srv_registry_bytes(r));
    srv_metric(out, "lucida_model_loads_total", "counter", "Networks that were loaded.",
               (double)srv_registry_loads(r));
}

enum luc_status srv_services_init(struct srv_services *s, const struct cfg *c,
                                  struct luc_error *err)
{
    *s = (struct srv_services){ .arena = luc_arena_create(CATALOG_BYTES) };
    if (!s->arena)
        return luc_fail_nomem(err, "the catalog", CATALOG_BYTES);
    enum luc_status st = cfg_catalog_load(c->catalog, s->arena, &s->catalog, err);
    if (!st) {
        s->registry = srv_registry_create(c->models, &s->catalog, (size_t)c->models_bytes);
        st = s->registry ? LUC_OK : luc_fail_nomem(err, "the networks", 0);
        if (!st)
            srv_registry_set_precision(s->registry, (enum luc_precision)c->precision);
    }
    if (st) {
        srv_services_done(s);
        return st;
    }
    s->env = (struct api_env){ .ctx = s,
                               .version = LUC_VERSION,
                               .model = c->default_model,
                               .limits = { (size_t)c->body_bytes, (size_t)c->image_pixels,
                                           (size_t)c->job_bytes },
                               .files = srv_static_files,
                               .model_get = model_get,
                               .model_put = model_put,
                               .models = models,
                               .metrics = metrics,
                               .ready = ready };
    return LUC_OK;
}

void srv_services_done(struct srv_services *s)
{
    srv_registry_destroy(s->registry);
    luc_arena_destroy(s->arena);
    *s = (struct srv_services){ 0 };
}

size_t srv_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    return 1;
}

void srv_blas_start(char **argv)
{
    const char *better = luc_blas_advise();
    if (better && !getenv("OPENBLAS_CORETYPE") && setenv("OPENBLAS_CORETYPE", better, 1) == 0)
        execv("/proc/self/exe", argv); /* once: the variable is set now. A failure is only slow. */
    luc_blas_init();
}
