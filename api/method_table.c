#include "api/api.h"

#include <string.h>

#define METHOD(symbol, tag, cost) extern const struct luc_method luc_method_##symbol;
#include "api/methods.def"
#undef METHOD

static const struct api_method table[] = {
#define METHOD(symbol, tag, cost) { &luc_method_##symbol, tag, API_##cost },
#include "api/methods.def"
#undef METHOD
    { NULL, NULL, API_QUICK },
};

static const struct luc_method *const list[] = {
#define METHOD(symbol, tag, cost) &luc_method_##symbol,
#include "api/methods.def"
#undef METHOD
    NULL,
};

const struct luc_method *const *api_method_list(void)
{
    return list;
}

const struct api_method *api_method_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) - 1 ? &table[i] : NULL;
}

const struct api_method *api_method_find(const char *name)
{
    for (size_t i = 0; api_method_at(i); i++)
        if (strcmp(table[i].method->name, name) == 0)
            return &table[i];
    return NULL;
}
