/*
 * anabranch serve: a model behind HTTP.
 *
 *     POST /predict   {"x": ROW, "interval": 0.9, "id": 7}          -> {"prediction": f, "low": a, "high": b, "published": v}
 *                     with "quantiles": true also               -> {"quantiles": {"0.1": a, "0.5": m, "0.9": b}}
 *     POST /learn     {"x": ROW, "y": 3.1, "w": 1, "seq": {...}}    -> {"prediction": what was predicted before, "samples": n}
 *     POST /label     {"id": 7, "y": 3.1}                           -> the same, for a row that /predict kept
 *     GET  /          the report, live      GET /metrics   for Prometheus      GET /healthz   the state in short
 *
 * ROW is an object by column names, or an array; {"rows": [...]} in a body's place asks for many at once. Predictions come from
 * whole published versions and wait for nobody; what learns takes turns.
 */
#define _GNU_SOURCE
#include "cli.h"
#include "progress.h"
#include "service.h"
#include "stop.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    {0, "port", "PORT", "where it listens; 0: any free one; default 8080"},
    {0, "address", "IP", "the address it listens on; default 127.0.0.1, this machine alone"},
    {0, "threads", "N", "threads that answer, each one request at a time; default 2"},
    {0, "token-file", "FILE", "a file whose first line every request must carry as `Authorization: Bearer ...`"},
    {0, "max-body", "BYTES", "the largest body of a request; default 1048576"},
    {0, "save-every", "SECONDS", "save what was learned so often; 0: at the end only; default 60"},
    {0, "publish-every", "MS", "milliseconds until predictions see what was learned at the latest; default 100"},
    {0}};

enum { TOKEN = 256, IDLE_SECONDS = 30, CONNECTIONS = 1000 };

typedef struct Listener {
    Service service;
    const char *address;
    struct in_addr ip;
    uint64_t port, threads, max_body, save_every, publish_every;
    char token[TOKEN]; /* empty: none is asked for */
} Listener;

/* The body of a request as it comes in. */
typedef struct Body {
    char *bytes;
    size_t size;
    bool too_large;
} Body;

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

static bool may(const Listener *l, struct MHD_Connection *connection)
{
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    if (!*l->token)
        return true;
    return given && strncmp(given, "Bearer ", 7) == 0 && same_text(given + 7, l->token);
}

static enum MHD_Result post(Listener *l, struct MHD_Connection *connection, const char *url, const Body *body)
{
    static const struct {
        const char *url;
        json_t *(*answer)(Service *, json_t *, int *);
    } doors[] = {{"/predict", service_predict}, {"/learn", service_learn}, {"/label", service_label}};
    json_error_t why;
    int status = MHD_HTTP_OK;
    if (body->too_large)
        return reply_error(connection, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than --max-body allows");
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
        if (strcmp(url, doors[i].url) == 0) {
            json_t *request = json_loadb(body->bytes ? body->bytes : "", body->size, JSON_REJECT_DUPLICATES, &why);
            if (!request)
                return reply_json(connection, MHD_HTTP_BAD_REQUEST,
                                  json_pack("{s:s, s:i}", "error", why.text, "position", why.position));
            json_t *answer = doors[i].answer(&l->service, request, &status);
            json_decref(request);
            return reply_json(connection, status, answer);
        }
    return reply_error(connection, MHD_HTTP_NOT_FOUND, "POST goes to /predict, /learn or /label");
}

static enum MHD_Result get(Listener *l, struct MHD_Connection *connection, const char *url)
{
    if (strcmp(url, "/metrics") == 0)
        return reply_written(connection, &l->service, "text/plain; version=0.0.4", service_metrics);
    if (strcmp(url, "/") == 0)
        return reply_written(connection, &l->service, "text/html; charset=utf-8", service_report);
    return reply_error(connection, MHD_HTTP_NOT_FOUND, "GET goes to /, /metrics or /healthz");
}

static bool take_piece(const Listener *l, Body *body, const char *piece, size_t size)
{
    if (body->size + size > l->max_body) {
        body->too_large = true;
        return true;
    }
    char *bytes = realloc(body->bytes, body->size + size);
    if (!bytes)
        return false;
    memcpy(bytes + body->size, piece, size);
    body->bytes = bytes;
    body->size += size;
    return true;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *piece, size_t *size, void **request)
{
    Listener *l = context;
    Body *body = *request;
    (void)version;
    if (!body) {
        *request = calloc(1, sizeof(Body));
        return *request ? MHD_YES : MHD_NO;
    }
    if (*size > 0) {
        bool taken = take_piece(l, body, piece, *size);
        *size = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    bool gets = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (gets && strcmp(url, "/healthz") == 0)
        return reply_json(connection, MHD_HTTP_OK, service_health(&l->service));
    if (!may(l, connection))
        return reply_error(connection, MHD_HTTP_UNAUTHORIZED, "a token is asked for: Authorization: Bearer TOKEN");
    if (strcmp(method, "POST") == 0)
        return post(l, connection, url, body);
    if (gets)
        return get(l, connection, url);
    return reply_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET, HEAD and POST are known");
}

static void request_over(void *context, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    Body *body = *request;
    (void)context, (void)connection, (void)code;
    if (body)
        free(body->bytes);
    free(body);
    *request = NULL;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int read_token(Listener *l, const char *path)
{
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!path)
        return 0;
    if (!file)
        return complain(BAD_USE, "cannot open %s: %s", path, strerror(errno));
    bool read = fgets(l->token, sizeof l->token, file) != NULL;
    fclose(file);
    l->token[strcspn(l->token, "\r\n")] = 0;
    return read && *l->token ? 0 : complain(BAD_USE, "%s: no token in its first line", path);
}

static int take_options(Listener *l, const Arguments *a)
{
    const char *address = option_value(a, "address");
    *l = (Listener){.address = address ? address : "127.0.0.1",
                    .port = 8080,
                    .threads = 2,
                    .max_body = 1 << 20,
                    .save_every = 60,
                    .publish_every = 100};
    if (inet_pton(AF_INET, l->address, &l->ip) != 1)
        return complain(BAD_USE, "--address takes an IPv4 address, not \"%s\"", address);
    int status = count_option("port", option_value(a, "port"), 0, 65535, &l->port);
    status = status ? status : count_option("threads", option_value(a, "threads"), 1, 256, &l->threads);
    status = status ? status : count_option("max-body", option_value(a, "max-body"), 64, 1u << 30, &l->max_body);
    status = status ? status : count_option("save-every", option_value(a, "save-every"), 0, 1000000, &l->save_every);
    status = status ? status
                    : count_option("publish-every", option_value(a, "publish-every"), 1, 1000000, &l->publish_every);
    return status ? status : read_token(l, option_value(a, "token-file"));
}

static struct MHD_Daemon *start(Listener *l)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port), .sin_addr = l->ip};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, (uint16_t)l->port, NULL, NULL, handle, l,
                         MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)l->threads,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)CONNECTIONS, MHD_OPTION_NOTIFY_COMPLETED, request_over, NULL, MHD_OPTION_END);
    if (!daemon)
        complain(BAD_DATA, "%s:%llu: cannot listen there; is the port taken?", l->address, (unsigned long long)l->port);
    return daemon;
}

/* Saves in its time, whatever the clock on the wall is set to, until a signal comes. */
static void tend(Listener *l)
{
    double saved = progress_clock();
    struct pollfd stop = {.fd = stop_descriptor(), .events = POLLIN};
    while (!stop_requested()) {
        poll(&stop, 1, 500);
        if (l->save_every > 0 && progress_clock() - saved >= (double)l->save_every) {
            service_save(&l->service); /* told on stderr and in /healthz; tried again the next time */
            saved = progress_clock();
        }
    }
}

static int run_serve(const Arguments *a)
{
    static Listener listener;
    int status = take_options(&listener, a);
    if (status)
        return status;
    status = service_open(&listener.service, a->operand[0], listener.publish_every);
    struct MHD_Daemon *daemon = status ? NULL : start(&listener);
    if (!daemon) {
        service_close(&listener.service);
        return status ? status : BAD_DATA;
    }
    stop_arm();
    signal(SIGPIPE, SIG_IGN); /* who reads the messages may be gone */
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    printf("listening on http://%s:%u\n", listener.address, info ? info->port : 0);
    fflush(stdout);
    tend(&listener);
    MHD_stop_daemon(daemon);
    status = service_save(&listener.service);
    service_close(&listener.service);
    return status;
}

static void more_help(void)
{
    printf(
        "\nPOST /predict and /learn take {\"x\": ROW, \"y\": TARGET}; ROW is an object by column names, or an array;\n"
        "{\"rows\": [...]} asks for many. POST /label takes {\"id\": ID, \"y\": TARGET} for a row that was predicted "
        "with an\n"
        "id, a whole number or a text, by a model of pending(...). GET / is the report, /metrics for Prometheus,\n"
        "/healthz the state in short.\n"
        "SIGINT, SIGTERM and SIGHUP save the model and end it.\n");
}

const Command command_serve = {.name = "serve",
                               .brief = "a prediction service over HTTP that goes on learning",
                               .operands = "MODEL",
                               .options = options,
                               .min_operands = 1,
                               .max_operands = 1,
                               .run = run_serve,
                               .more_help = more_help};
