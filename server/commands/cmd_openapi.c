#include "api/api.h"
#include "server/commands/command.h"

#include <stdio.h>

int srv_cmd_openapi(int argc, char **argv)
{
    struct cfg c;
    struct luc_str out = { 0 };
    if (srv_wants_help("openapi", argc, argv))
        return 0;
    const int bad = srv_settings(&c, &argc, argv);
    if (bad)
        return bad;
    const struct api_env env = { .version = LUC_VERSION, .model = c.default_model };
    api_openapi(&env, &out);
    const bool failed = out.failed || puts(out.data) < 0;
    luc_str_done(&out);
    return failed ? srv_complain("openapi", "cannot write", 1) : 0;
}
