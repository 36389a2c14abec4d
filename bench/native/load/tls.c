/* TLS through OpenSSL where its headers are (WITH_TLS); without them `open tls=1` is refused. Certificates are not looked at. */
#include "load.h"

#include <errno.h>

#ifdef WITH_TLS
#include <openssl/ssl.h>

static SSL_CTX *context;

bool tls_available(void) { return true; }

void tls_begin(stream *s) {
  if (!context) context = SSL_CTX_new(TLS_client_method());
  SSL *ssl = context ? SSL_new(context) : NULL;
  if (!ssl || SSL_set_fd(ssl, s->fd) != 1) fatal("OpenSSL");
  SSL_set_connect_state(ssl);
  s->tls = ssl;
}

int tls_handshake(stream *s, bool *writable) {
  int result = SSL_do_handshake(s->tls);
  if (result == 1) return 1;
  int why = SSL_get_error(s->tls, result);
  *writable = why == SSL_ERROR_WANT_WRITE;
  return why == SSL_ERROR_WANT_READ || *writable ? 0 : -1;
}

static int64_t result_of(stream *s, int result) {
  if (result > 0) return result;
  int why = SSL_get_error(s->tls, result);
  if (why == SSL_ERROR_ZERO_RETURN) return 0;
  errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
  return -1;
}

int64_t tls_read(stream *s, void *bytes, size_t size) {
  return result_of(s, SSL_read(s->tls, bytes, (int)size));
}

int64_t tls_write(stream *s, const void *bytes, size_t size) {
  return result_of(s, SSL_write(s->tls, bytes, (int)size));
}

void tls_free(stream *s) {
  SSL_free(s->tls);
  s->tls = NULL;
}

#else

bool tls_available(void) { return false; }
void tls_begin(stream *s) { (void)s; }
void tls_free(stream *s) { (void)s; }

int tls_handshake(stream *s, bool *writable) {
  (void)s;
  (void)writable;
  return -1;
}

int64_t tls_read(stream *s, void *bytes, size_t size) {
  (void)s;
  (void)bytes;
  (void)size;
  errno = ENOTSUP;
  return -1;
}

int64_t tls_write(stream *s, const void *bytes, size_t size) {
  return tls_read(s, (void *)bytes, size);
}

#endif
