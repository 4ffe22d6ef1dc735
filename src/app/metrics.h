/* Metrics that modules have declared. [main] */
#ifndef RTN_APP_METRICS_H
#define RTN_APP_METRICS_H

#include "app/instance.h"

/* Gives back what the instance has declared; nothing of it may count any more. */
void rtn_metrics_release(struct rtn_instance *instance);

#endif
