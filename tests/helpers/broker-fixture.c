/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/broker-fixture.h"

#include "common/names.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
broker_fixture_settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
on_ready (NegoBroker *broker, gboolean ready, gpointer user_data)
{
  BrokerFixture *fixture = user_data;

  fixture->ready += ready;
  fixture->unready += !ready;
}

static void
on_closed (NegoBroker *broker, const GError *error, gpointer user_data)
{
  ((BrokerFixture *) user_data)->closed++;
}

static void
client_free (gpointer data)
{
  BrokerClient *client = data;

  if (client->fd >= 0)
    close (client->fd);
  g_string_free (client->heard, TRUE);
  g_free (client);
}

void
broker_fixture_set_up (BrokerFixture *fixture, gconstpointer switches)
{
  static const NegoBrokerCallbacks callbacks = { .ready = on_ready, .closed = on_closed };
  const NegoFramerLimits limits = { NEGO_MESSAGE_BYTES_PORT, 1000, 32 };
  const NegoBrokerOptions options = {
    .name = "test",
    .lost = BROKER_LOST,
    .silent = BROKER_SILENT,
    .absent = BROKER_ABSENT,
    .limits = limits,
    .requests = limits,
    .switches = switches != NULL,
  };

  fixture->host = -1;
  fixture->heard = g_string_new (NULL);
  fixture->clients = g_ptr_array_new_with_free_func (client_free);
  fixture->broker = nego_broker_new (&options, &callbacks, fixture);
  broker_fixture_connect (fixture);
  broker_fixture_answer_sync (fixture);
}

void
broker_fixture_tear_down (BrokerFixture *fixture, gconstpointer switches)
{
  nego_broker_free (fixture->broker);
  if (fixture->host >= 0)
    close (fixture->host);
  g_string_free (fixture->heard, TRUE);
  g_ptr_array_unref (fixture->clients);
  /* Nothing is left in the main loop. */
  g_assert_false (g_main_context_pending (NULL));
}

static int
new_pair (int *other)
{
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  *other = fds[1];
  return fds[0];
}

void
broker_fixture_connect (BrokerFixture *fixture)
{
  broker_fixture_connect_as (fixture, NEGO_STREAM_SOCKET);
}

void
broker_fixture_connect_as (BrokerFixture *fixture, NegoStreamKind kind)
{
  int fd;

  if (fixture->host >= 0)
    close (fixture->host);
  g_string_truncate (fixture->heard, 0);
  fixture->host = new_pair (&fd);
  nego_broker_set_upstream (fixture->broker, fd, kind);
  broker_fixture_settle ();
}

static char *
take_line (GString *heard)
{
  const char *end = memchr (heard->str, '\n', heard->len);
  char *line;

  if (end == NULL)
    return NULL;
  line = g_strndup (heard->str, (gsize) (end - heard->str));
  g_string_erase (heard, 0, end + 1 - heard->str);
  return line;
}

static char *
next_line (int fd, GString *heard)
{
  char buffer[65536];
  ssize_t n;

  broker_fixture_settle ();
  while ((n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
    g_string_append_len (heard, buffer, n);
    broker_fixture_settle ();
  }
  return take_line (heard);
}

static void
send_all (int fd, const char *text)
{
  gsize len = strlen (text);

  while (len > 0) {
    ssize_t n = send (fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0) {
      text += n;
      len -= (gsize) n;
    }
    broker_fixture_settle ();
  }
  broker_fixture_settle ();
}

void
broker_fixture_answer_sync (BrokerFixture *fixture)
{
  static const char start[] = "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":";
  g_autofree char *line = broker_fixture_next (fixture);
  g_autofree char *reply = NULL;

  g_assert_nonnull (line);
  g_assert_true (g_str_has_prefix (line, start));
  reply = g_strdup_printf ("\xff{\"return\": %" G_GUINT64_FORMAT "}\n",
                           g_ascii_strtoull (line + strlen (start), NULL, 10));
  broker_fixture_say (fixture, reply);
}

char *
broker_fixture_next (BrokerFixture *fixture)
{
  return next_line (fixture->host, fixture->heard);
}

guint64
broker_fixture_expect (BrokerFixture *fixture, const char *execute, const char *arguments)
{
  g_autofree char *line = broker_fixture_next (fixture);
  g_autofree char *start
    = g_strdup_printf ("{\"execute\":\"%s\",\"arguments\":%s,\"id\":", execute, arguments);

  g_assert_nonnull (line);
  if (!g_str_has_prefix (line, start))
    g_assert_cmpstr (line, ==, start);
  return g_ascii_strtoull (line + strlen (start), NULL, 10);
}

void
broker_fixture_expect_nothing (BrokerFixture *fixture)
{
  g_autofree char *line = broker_fixture_next (fixture);

  g_assert_cmpstr (line, ==, NULL);
}

void
broker_fixture_say (BrokerFixture *fixture, const char *text)
{
  send_all (fixture->host, text);
}

void
broker_fixture_return (BrokerFixture *fixture, guint64 id, const char *value)
{
  g_autofree char *text
    = g_strdup_printf ("{\"return\": %s, \"id\": %" G_GUINT64_FORMAT "}\n", value, id);

  broker_fixture_say (fixture, text);
}

BrokerClient *
broker_fixture_add (BrokerFixture *fixture, uid_t uid)
{
  BrokerClient *client = g_new0 (BrokerClient, 1);
  int fd;

  client->fd = new_pair (&fd);
  client->heard = g_string_new (NULL);
  g_ptr_array_add (fixture->clients, client);
  nego_broker_add_client_of (fixture->broker, fd, uid);
  broker_fixture_settle ();
  return client;
}

void
broker_client_leave (BrokerClient *client)
{
  close (client->fd);
  client->fd = -1;
  broker_fixture_settle ();
}

void
broker_client_ask (BrokerClient *client, const char *execute, const char *arguments, const char *id)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "{\"execute\":\"%s\"", execute);
  if (arguments != NULL)
    g_string_append_printf (text, ",\"arguments\":%s", arguments);
  if (id != NULL)
    g_string_append_printf (text, ",\"id\":%s", id);
  g_string_append (text, "}\n");
  broker_client_say (client, text->str);
}

void
broker_client_say (BrokerClient *client, const char *text)
{
  send_all (client->fd, text);
}

char *
broker_client_next (BrokerClient *client)
{
  return next_line (client->fd, client->heard);
}

void
broker_client_expect (BrokerClient *client, const char *line)
{
  g_autofree char *heard = broker_client_next (client);

  g_assert_cmpstr (heard, ==, line);
}
