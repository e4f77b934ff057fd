#include "server/store/event_text.h"

#include <math.h>
#include <stdio.h>

void srv_event_state(char text[SRV_EVENT_TEXT], enum api_state state, int64_t attempt)
{
    snprintf(text, SRV_EVENT_TEXT, "{\"state\":\"%s\",\"attempt\":%lld}", api_state_name(state),
             (long long)attempt);
}

void srv_event_progress(char text[SRV_EVENT_TEXT], const struct srv_report *r)
{
    char eta[40] = "null", loss[40] = "null";
    if (r->eta_s >= 0)
        snprintf(eta, sizeof(eta), "%.1f", r->eta_s);
    if (isfinite(r->loss))
        snprintf(loss, sizeof(loss), "%.9g", r->loss);
    snprintf(text, SRV_EVENT_TEXT,
             "{\"progress\":%.6g,\"step\":%lld,\"n_steps\":%lld,\"eta_s\":%s,\"loss\":%s}",
             r->progress, (long long)r->step, (long long)r->n_steps, eta, loss);
}

void srv_event_preview(char text[SRV_EVENT_TEXT], const char *id, const struct srv_report *r)
{
    snprintf(text, SRV_EVENT_TEXT, "{\"href\":\"/jobs/%s/preview\",\"step\":%lld}", id,
             (long long)r->step);
}
