#include "api/stored_job.h"

#include <stdlib.h>

const char *api_state_name(size_t state)
{
    static const char *const names[] = {
#define X(name) #name,
        API_STATE_MAP(X)
#undef X
    };
    return state < API_N_STATES ? names[state] : NULL;
}

bool api_state_is_final(enum api_state state)
{
    return state != API_STATE_queued && state != API_STATE_running;
}

void api_job_row_done(struct api_job_row *row)
{
    free(row->parameters);
    free(row->error);
    *row = (struct api_job_row){ 0 };
}

void api_kept_done(struct api_kept *kept)
{
    free(kept->type);
    free(kept->headers);
    free(kept->bytes);
    *kept = (struct api_kept){ 0 };
}
