/* The first byte is the boundary's length, the boundary and the body follow. */
#include "api/multipart.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char type[512] = "multipart/form-data; boundary=";
    const size_t prefix = strlen(type);
    struct api_form form;
    struct luc_error err;
    if (size < 1 || (size_t)data[0] + 1 > size)
        return 0;
    const size_t n = data[0];
    memcpy(type + prefix, data + 1, n);
    type[prefix + n] = '\0';
    data += n + 1, size -= n + 1;
    if (api_form_parse(type, data, size, &form, &err) != LUC_OK)
        return 0;
    for (size_t i = 0; i < form.n_parts; i++) { /* every view lies inside the body */
        const struct api_view views[3] = { form.part[i].name, form.part[i].bytes,
                                           form.part[i].file };
        char name[API_NAME_MAX];
        for (size_t k = 0; k < 3; k++) {
            const uint8_t *at = (const uint8_t *)views[k].at;
            if (at < data || views[k].size > (size_t)(data + size - at))
                abort();
        }
        api_file_name(form.part[i].file, name); /* never a path */
        if (!memchr(name, '\0', sizeof(name)) || strpbrk(name, "/\\\n\r"))
            abort();
    }
    return 0;
}
