/*
 * The requests of a service over HTTP. The threads of the listener answer small ones themselves. Those with large bodies,
 * such as thousands of rows, are left to threads of their own, and their connections sleep meanwhile, so that the listener's
 * threads are free for others.
 */
#ifndef ANB_CLI_HTTP_H
#define ANB_CLI_HTTP_H

#include "jobs.h"
#include "service.h"
#include <microhttpd.h>

enum { TOKEN_SIZE = 256 };

typedef struct Http {
    Service service;
    uint64_t max_body;      /* bytes of a request */
    char token[TOKEN_SIZE]; /* that every request has to carry; empty: none is asked for */
    Jobs learning, predicting;
    atomic_uint owed; /* requests left to those that are not answered to the end */
} Http;

/* 0, or BAD_DATA with the complaint made. End it in both cases. */
int http_start(Http *http, size_t threads);
/* Large requests under way end before their next row, and are refused from here on; returns when their answers are sent, or
 * nobody reads them. */
void http_end(Http *http);

/* What MHD calls, with the Http as its context. */
enum MHD_Result http_handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *piece, size_t *size, void **request);
void http_over(void *context, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code);

#endif
