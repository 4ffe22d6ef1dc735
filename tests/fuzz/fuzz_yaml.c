/* Bytes as a configuration file: either there are messages, or the dump loads again. */
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(struct rtn_str text, struct rtn_buf *dump)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf messages = { 0 };
    struct rtn_diags diags = { 0 };
    struct rtn_config *config;
    int code = rtn_config_load_text("/fuzz.yaml", text, &config, &diags);

    if (code == 0)
        rtn_config_dump(config, dump);
    rtn_diags_render(&diags, &messages, false);
    rtn_diags_done(&diags);
    rtn_config_free(config);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf first = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf second = { 0 };

    if (load((struct rtn_str){ (const char *) data, size }, &first) == 0 && load(rtn_buf_str(&first), &second) != 0)
        abort();
    return 0;
}
