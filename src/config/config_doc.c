/* What the tables say about the whole file. */
#include "config/config_tables.h"
#include "config/schema_doc.h"

void rtn_config_schema(struct rtn_buf *out)
{
    rtn_schema_json(&rtn_config_root_table, "Configuration of retinued", out);
}

int rtn_config_explain(const char *key, struct rtn_buf *out)
{
    return rtn_schema_explain(&rtn_config_root_table, key, out);
}

void rtn_config_manual(struct rtn_buf *out)
{
    rtn_schema_manual(&rtn_config_root_table, out);
}
