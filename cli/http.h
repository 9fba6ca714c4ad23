/*
 * The requests of a service over HTTP. The threads of the listener answer small ones themselves. Those with large
 * bodies, such as thousands of rows, are handed over to threads of their own, and MHD suspends their connections
 * meanwhile: the listener's threads are free for other requests.
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
    atomic_uint unanswered; /* requests handed over to these, until their answers are sent */
} Http;

/* 0, or BAD_DATA with the complaint made. End it in both cases. */
int http_start(Http *http, size_t threads);
/* Ends large requests before their next row and refuses new ones. Returns when their answers are sent, or after two
 * seconds. */
void http_end(Http *http);

/* What MHD calls, with the Http as its context. */
enum MHD_Result http_handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *piece, size_t *size, void **request);
void http_over(void *context, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code);

#endif
