#include "api/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void api_response_done(struct api_response *res)
{
    for (size_t i = 0; i < res->n_headers; i++)
        free(res->headers[i].value);
    luc_str_done(&res->body);
    *res = (struct api_response){ 0 };
}

void api_header(struct api_response *res, const char *name, const char *fmt, ...)
{
    char value[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    for (char *c = value; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    char *kept = res->n_headers < API_HEADERS_MAX ? strdup(value) : NULL;
    if (kept)
        res->headers[res->n_headers++] = (struct api_header){ name, kept };
}

const char *api_header_find(const struct api_response *res, const char *name)
{
    for (size_t i = 0; i < res->n_headers; i++)
        if (strcasecmp(res->headers[i].name, name) == 0)
            return res->headers[i].value;
    return NULL;
}
