/* A shared object that is no module. */
#include <retinue/module.h>

RTN_EXPORT int no_entry_at_all(void);
RTN_EXPORT int no_entry_at_all(void)
{
    return 0;
}
