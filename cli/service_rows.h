/* Rows of requests, by name or in order, and refusals. */
#ifndef ANB_CLI_SERVICE_ROWS_H
#define ANB_CLI_SERVICE_ROWS_H

#include "service.h"

enum { OK = 200, BAD_REQUEST = 400, UNSUPPORTED = 409, OUT_OF_ORDER = 422, UNAVAILABLE = 503 };

/* The answer to a refused request, which is counted, and its status. Never NULL, which is no refusal. */
json_t *refuse(Service *service, int *status, int code, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The row of a request, checked, in memory that the caller frees; NULL with the refusal. */
double *row_of(Service *service, json_t *body, int *status, json_t **refusal);

#endif
