#include "http.h"
#include "cli.h"
#include "progress.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Bodies up to this size are answered by the listener's thread: some 25 rows of 10 features. */
enum { AT_ONCE = 4096, PATIENCE_MS = 2000 };

typedef struct Endpoint {
    const char *url;
    json_t *(*answer)(Service *, json_t *, int *);
    bool learns;
} Endpoint;

/* A request as it comes in and is answered. */
typedef struct Request {
    Job job;
    Http *http;
    struct MHD_Connection *connection;
    char *body;
    size_t size;
    bool too_large, handed_over, waits; /* handed_over: to a thread of jobs; waits: for the answer of that thread */
    double complete;                    /* when its last byte was read; 0: it is not */
    const Endpoint *endpoint;
    int status; /* of the answer; 0: there is none yet */
    char *answer;
} Request;

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* Takes over the bytes. */
static enum MHD_Result reply(struct MHD_Connection *connection, int status, const char *type, char *bytes, size_t size)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD, POST");
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

/* Takes over the object. */
static enum MHD_Result reply_json(struct MHD_Connection *connection, int status, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text ? reply(connection, status, "application/json", text, strlen(text)) : MHD_NO;
}

static enum MHD_Result reply_error(struct MHD_Connection *connection, int status, const char *what)
{
    return reply_json(connection, status, json_pack("{s:s}", "error", what));
}

static enum MHD_Result reply_written(struct MHD_Connection *connection, Service *service, const char *type,
                                     int (*write)(Service *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    int code = file ? write(service, file) : -1;
    if (!file || fclose(file) || code) {
        free(text);
        return reply_error(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer could not be made");
    }
    return reply(connection, MHD_HTTP_OK, type, text, size);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* The same time whatever the first difference. */
static bool same_text(const char *given, const char *wanted)
{
    size_t n = strlen(given), differs = n != strlen(wanted);
    for (size_t i = 0; i < n; i++)
        differs |= (size_t)(given[i] ^ wanted[differs ? 0 : i]);
    return differs == 0;
}

static bool may(const Http *h, struct MHD_Connection *connection)
{
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    if (!*h->token)
        return true;
    return given && strncmp(given, "Bearer ", 7) == 0 && same_text(given + 7, h->token);
}

static void answer(Request *r)
{
    json_error_t why;
    json_t *request = json_loadb(r->body ? r->body : "", r->size, JSON_REJECT_DUPLICATES, &why);
    int status = MHD_HTTP_BAD_REQUEST;
    json_t *said = request ? r->endpoint->answer(&r->http->service, request, &status)
                           : json_pack("{s:s, s:i}", "error", why.text, "position", why.position);
    json_decref(request);
    r->answer = json_dumps(said, JSON_COMPACT);
    json_decref(said);
    r->status = status;
}

static void answer_job(Job *job)
{
    Request *r = (Request *)job;
    answer(r);
    MHD_resume_connection(r->connection);
}

/* Gives the request to a thread of jobs. MHD suspends the connection until the answer is there, and then handles the
 * request again. */
static void hand_over(Http *h, struct MHD_Connection *connection, Request *r)
{
    r->job.run = answer_job;
    r->waits = true;
    r->handed_over = true;
    atomic_fetch_add(&h->unanswered, 1);
    MHD_suspend_connection(connection);
    if (jobs_add(r->endpoint->learns ? &h->learning : &h->predicting, &r->job))
        return;
    r->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    MHD_resume_connection(connection);
}

static enum MHD_Result reply_answer(struct MHD_Connection *connection, Request *r)
{
    char *text = r->answer;
    r->answer = NULL;
    return text ? reply(connection, r->status, "application/json", text, strlen(text))
                : reply_error(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "the service ends, or is out of memory");
}

static enum MHD_Result post(Http *h, struct MHD_Connection *connection, const char *url, Request *r)
{
    static const Endpoint endpoints[] = {
        {"/predict", service_predict, false}, {"/learn", service_learn, true}, {"/label", service_label, true}};
    if (r->status)
        return reply_answer(connection, r);
    if (r->too_large)
        return reply_error(connection, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than --max-body allows");
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        if (strcmp(url, endpoints[i].url) == 0)
            r->endpoint = &endpoints[i];
    if (!r->endpoint)
        return reply_error(connection, MHD_HTTP_NOT_FOUND, "POST goes to /predict, /learn or /label");
    if (r->size > AT_ONCE) {
        hand_over(h, connection, r);
        return MHD_YES;
    }
    answer(r);
    return reply_answer(connection, r);
}

static enum MHD_Result get(Http *h, struct MHD_Connection *connection, const char *url)
{
    if (strcmp(url, "/metrics") == 0)
        return reply_written(connection, &h->service, "text/plain; version=0.0.4", service_metrics);
    if (strcmp(url, "/") == 0)
        return reply_written(connection, &h->service, "text/html; charset=utf-8", service_report);
    return reply_error(connection, MHD_HTTP_NOT_FOUND, "GET goes to /, /metrics or /healthz");
}

static bool take_piece(Request *r, const char *piece, size_t size)
{
    if (r->size + size > r->http->max_body) {
        r->too_large = true;
        return true;
    }
    char *bytes = realloc(r->body, r->size + size);
    if (!bytes)
        return false;
    memcpy(bytes + r->size, piece, size);
    r->body = bytes;
    r->size += size;
    return true;
}

/* Whether a client asks, before it sends the body, if so large a one is taken. */
static bool asks_too_much(const Http *h, struct MHD_Connection *connection)
{
    const char *size = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect") && size &&
           strtoull(size, NULL, 10) > h->max_body;
}

static Request *begin(Http *h, struct MHD_Connection *connection)
{
    Request *r = calloc(1, sizeof *r);
    if (r) {
        r->http = h;
        r->connection = connection;
        r->too_large = asks_too_much(h, connection);
    }
    return r;
}

static enum MHD_Result respond(Http *h, struct MHD_Connection *connection, const char *url, const char *method,
                               Request *r)
{
    bool gets = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (gets && strcmp(url, "/healthz") == 0)
        return reply_json(connection, MHD_HTTP_OK, service_health(&h->service));
    if (!may(h, connection))
        return reply_error(connection, MHD_HTTP_UNAUTHORIZED, "a token is asked for: Authorization: Bearer TOKEN");
    if (strcmp(method, "POST") == 0)
        return post(h, connection, url, r);
    if (gets)
        return get(h, connection, url);
    return reply_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET, HEAD and POST are known");
}

enum MHD_Result http_handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *piece, size_t *size, void **request)
{
    Http *h = context;
    Request *r = *request;
    (void)version;
    if (!r) {
        r = *request = begin(h, connection);
        if (!r || !r->too_large)
            return r ? MHD_YES : MHD_NO;
    }
    if (*size > 0) {
        bool taken = take_piece(r, piece, *size);
        *size = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    r->complete = r->complete > 0 ? r->complete : progress_clock();
    r->waits = false;
    enum MHD_Result result = respond(h, connection, url, method, r);
    if (!r->waits)
        durations_add(&h->service.durations, url, progress_clock() - r->complete);
    return result;
}

void http_over(void *context, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code)
{
    Http *h = context;
    Request *r = *request;
    (void)connection, (void)code;
    *request = NULL;
    if (!r)
        return;
    if (r->handed_over)
        atomic_fetch_sub(&h->unanswered, 1);
    free(r->body);
    free(r->answer);
    free(r);
}

/* ---- the beginning and the end ----------------------------------------------------------------------------------- */

int http_start(Http *h, size_t threads)
{
    int learning = jobs_start(&h->learning, threads), predicting = jobs_start(&h->predicting, threads);
    return learning ? learning : predicting;
}

void http_end(Http *h)
{
    atomic_store(&h->service.ending, true);
    jobs_end(&h->learning);
    jobs_end(&h->predicting);
    for (int waited = 0; waited < PATIENCE_MS && atomic_load(&h->unanswered) > 0; waited += 10)
        poll(NULL, 0, 10);
}
