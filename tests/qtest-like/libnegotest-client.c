/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/qtest-like/libnegotest-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536

struct NegoTestClient {
  NegoTest *test;
  int fd;
  GByteArray *received; /* what is not consumed yet */
  gsize searched;       /* no LF before it */
  guint syncs;
  NegoTestTranscript *transcript;
};

NegoTestClient *
nego_test_connect_to (NegoTest *test, const char *name)
{
  NegoTestClient *client = g_new0 (NegoTestClient, 1);
  struct sockaddr_un address = nego_test_address (test, name);

  client->test = test;
  client->received = g_byte_array_new ();
  client->transcript = nego_test_transcript_new ();
  client->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (client->fd, >=, 0);
  g_assert_cmpint (connect (client->fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (fcntl (client->fd, F_SETFL, O_NONBLOCK), ==, 0);
  return client;
}

NegoTestClient *
nego_test_connect (NegoTest *test)
{
  return nego_test_connect_to (test, NEGO_TEST_SOCKET);
}

void
nego_test_client_free (NegoTestClient *client)
{
  if (client == NULL)
    return;
  close (client->fd);
  nego_test_transcript_free (client->transcript);
  g_byte_array_unref (client->received);
  g_free (client);
}

int
nego_test_client_get_fd (NegoTestClient *client)
{
  return client->fd;
}

void
nego_test_client_reset (NegoTestClient *client)
{
  gint64 deadline = nego_test_deadline ();
  int unread;

  /* Bytes that its socket still holds at the close are what makes it a reset. */
  nego_test_wait (client->test, client->fd, POLLIN, deadline, "a reply to leave unread");
  g_assert_cmpint (ioctl (client->fd, FIONREAD, &unread), ==, 0);
  g_assert_cmpint (unread, >, 0);
  nego_test_client_free (client);
}

void
nego_test_client_shutdown (NegoTestClient *client)
{
  g_assert_cmpint (shutdown (client->fd, SHUT_WR), ==, 0);
}

/* Takes what arrived. Returns FALSE at the end of the connection. */
static gboolean
fill (NegoTestClient *client)
{
  guint8 buffer[READ_BYTES];
  ssize_t n = read (client->fd, buffer, sizeof buffer);

  if (n > 0)
    g_byte_array_append (client->received, buffer, (guint) n);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Replies are taken meanwhile: an agent that is not read does not read for ever. */
void
nego_test_send (NegoTestClient *client, const char *data, gsize len)
{
  gint64 deadline = nego_test_deadline ();

  nego_test_transcript_add_sent (client->transcript, data, len);
  while (len > 0) {
    ssize_t n = send (client->fd, data, len, MSG_NOSIGNAL);

    if (n < 0 && errno == EAGAIN) {
      nego_test_wait (client->test, client->fd, POLLIN | POLLOUT, deadline, "the agent to read");
      fill (client);
      continue;
    }
    g_assert_cmpint (n, >, 0);
    data += n;
    len -= (gsize) n;
  }
}

void
nego_test_send_text (NegoTestClient *client, const char *text)
{
  nego_test_send (client, text, strlen (text));
}

gsize
nego_test_send_some (NegoTestClient *client, const char *data, gsize len, guint patience_ms)
{
  struct pollfd wait = { .fd = client->fd, .events = POLLOUT };
  gsize sent = 0;

  while (sent < len && poll (&wait, 1, (int) patience_ms) > 0) {
    ssize_t n = send (client->fd, data + sent, len - sent, MSG_NOSIGNAL);

    g_assert_cmpint (n, >, 0);
    sent += (gsize) n;
  }
  nego_test_transcript_add_sent (client->transcript, data, sent);
  return sent;
}

/* The kernel counts what the peer has not read; there is no event for it, so this looks again and
 * again, with the processor given up in between. */
void
nego_test_await_read (NegoTestClient *client)
{
  gint64 deadline = nego_test_deadline ();
  int unread;

  do {
    g_assert_cmpint (ioctl (client->fd, SIOCOUTQ, &unread), ==, 0);
    g_assert_cmpint (nego_test_left (deadline), >, 0);
    sched_yield ();
  } while (unread > 0);
}

gboolean
nego_test_is_answered (NegoTestClient *client, guint wait_ms)
{
  struct pollfd wait = { .fd = client->fd, .events = POLLIN };

  return client->received->len > 0 || poll (&wait, 1, (int) wait_ms) > 0;
}

static char *
take (NegoTestClient *client, gsize line_len)
{
  char *line = g_malloc (line_len + 1);

  memcpy (line, client->received->data, line_len);
  line[line_len] = '\0';
  g_byte_array_remove_range (client->received, 0, (guint) line_len + 1);
  client->searched = 0;
  nego_test_transcript_add_received (client->transcript, line);
  return line;
}

char *
nego_test_receive_len (NegoTestClient *client, gsize *len)
{
  gint64 deadline = nego_test_deadline ();

  for (;;) {
    const guint8 *data = client->received->data;
    const guint8 *lf = client->received->len > 0 ? memchr (data + client->searched, '\n',
                                                           client->received->len - client->searched)
                                                 : NULL;

    if (lf != NULL) {
      *len = (gsize) (lf - data);
      return take (client, *len);
    }
    client->searched = client->received->len;
    nego_test_wait (client->test, client->fd, POLLIN, deadline, "a reply");
    if (!fill (client)) {
      g_assert_cmpuint (client->received->len, ==, 0); /* a reply is whole, or it is not */
      return NULL;
    }
  }
}

char *
nego_test_receive (NegoTestClient *client)
{
  gsize len;

  return nego_test_receive_len (client, &len);
}

void
nego_test_expect_eof (NegoTestClient *client)
{
  g_autofree char *line = nego_test_receive (client);

  g_assert_cmpstr (line, ==, NULL);
}

gboolean
nego_test_json_equal (const char *a, const char *b)
{
  g_autoptr (JsonNode) node_a = json_from_string (a, NULL);
  g_autoptr (JsonNode) node_b = json_from_string (b, NULL);

  return node_a != NULL && node_b != NULL && json_node_equal (node_a, node_b);
}

void
nego_test_check_members (JsonObject *object, const char *expected)
{
  g_autoptr (GString) text = g_string_new (expected);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  g_string_replace (text, "'", "\"", 0);
  node = json_from_string (text->str, &error);
  g_assert_no_error (error);
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, &value)) {
    JsonNode *found = json_object_get_member (object, name);
    g_autofree char *wanted = json_to_string (value, FALSE);
    g_autofree char *got = found != NULL ? json_to_string (found, FALSE) : g_strdup ("null");

    if (!g_str_equal (wanted, got))
      g_error ("member '%s' is %.200s, not %s", name, got, wanted);
  }
}

void
nego_test_expect (NegoTestClient *client, const char *reply)
{
  g_autofree char *line = nego_test_receive (client);

  if (line == NULL || !nego_test_is_qga () || !nego_test_json_equal (line, reply))
    g_assert_cmpstr (line, ==, reply);
}

static void
send_line (NegoTestClient *client, const char *request)
{
  nego_test_send_text (client, request);
  nego_test_send (client, "\n", 1);
}

void
nego_test_ask (NegoTestClient *client, const char *request, const char *reply)
{
  send_line (client, request);
  nego_test_expect (client, reply);
}

JsonNode *
nego_test_receive_return (NegoTestClient *client)
{
  g_autofree char *line = nego_test_receive (client);
  g_autoptr (JsonNode) root = line != NULL ? json_from_string (line, NULL) : NULL;
  JsonNode *value;

  g_assert_nonnull (root);
  value = json_object_get_member (json_node_get_object (root), "return");
  if (value == NULL)
    g_error ("not a success reply: %.1000s", line);
  return json_node_copy (value);
}

JsonNode *
nego_test_call (NegoTestClient *client, const char *request)
{
  send_line (client, request);
  return nego_test_receive_return (client);
}

JsonObject *
nego_test_call_object (NegoTestClient *client, const char *request)
{
  g_autoptr (JsonNode) value = nego_test_call (client, request);

  return json_node_dup_object (value);
}

void
nego_test_expect_error (NegoTestClient *client, const char *request, const char *desc)
{
  g_autofree char *line = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *error;

  send_line (client, request);
  line = nego_test_receive (client);
  root = line != NULL ? json_from_string (line, NULL) : NULL;
  g_assert_nonnull (root);
  if (!json_object_has_member (json_node_get_object (root), "error"))
    g_error ("not an error reply: %.1000s", line);
  error = json_object_get_object_member (json_node_get_object (root), "error");
  g_assert_cmpuint (json_object_get_size (error), ==, 2);
  g_assert_cmpstr (json_object_get_string_member (error, "class"), ==, "GenericError");
  g_assert_cmpstr (json_object_get_string_member (error, "desc"), ==, desc);
}

/* The only text that qemu-ga has for the byte alone. */
static gboolean
is_answer_to_ff (const char *line)
{
  return nego_test_is_qga () && g_str_has_suffix (line, "\\uFFFD'\"}}")
         && strstr (line, "JSON parse error, stray '") != NULL;
}

char **
nego_test_resync (NegoTestClient *client)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  guint number = ++client->syncs;
  g_autofree char *request
    = g_strdup_printf ("\xFF{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%u}}\n",
                       number);
  g_autofree char *reply = g_strdup_printf ("\xFF{\"return\": %u}", number);
  char *line;

  nego_test_send_text (client, request);
  while ((line = nego_test_receive (client)) != NULL && !g_str_equal (line, reply))
    g_ptr_array_add (lines, line);
  g_assert_nonnull (line);
  g_free (line);
  if (lines->len > 0 && is_answer_to_ff (lines->pdata[lines->len - 1]))
    g_ptr_array_set_size (lines, (int) lines->len - 1);
  g_ptr_array_add (lines, NULL);
  return (char **) g_ptr_array_steal (lines, NULL);
}

void
nego_test_settle (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  g_strfreev (nego_test_resync (client));
  g_strfreev (nego_test_resync (client));
}

guint
nego_test_count_fds_settled (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  g_strfreev (nego_test_resync (client));
  g_strfreev (nego_test_resync (client));
  return nego_test_count_fds (test);
}
