/* SPDX-License-Identifier: MIT */
/*
 * link: a way on which requests reach a guest's agent and replies come back, one at a time.
 *
 * Two exist: a socket (link-socket.h) and libvirt's agent call (link-libvirt.h). A link knows
 * nothing of commands. Deadlines are g_get_monotonic_time() values; G_MAXINT64 is none.
 *
 * Errors: NEGO_ERROR_BUSY (another program holds the way), NEGO_ERROR_TIMEOUT (no answer in time;
 * the request may still be carried out), NEGO_ERROR_CLOSED (there is no agent at the other end),
 * NEGO_ERROR_PARSE (what came is no reply, or over a limit), NEGO_ERROR_IO (anything else).
 */
#pragma once

#include "common/framer.h"

#include <glib.h>

typedef struct {
  const char *text; /* one JSON object */
  gsize len;
  gsize max_reply; /* bytes */
  gboolean
    harmless; /* carrying it out late, when nobody waits for the reply any more, hurts nobody */
} NegoLinkRequest;

typedef struct NegoLink NegoLink;

typedef struct {
  /* Makes sure that somebody answers at the other end, if the link can tell at all. */
  gboolean (*sync) (NegoLink *link, gint64 deadline, GError **error);
  /* Returns: (transfer full): the reply: a strict JSON object within the limits of reply.h, with a
   * member "return" or "error". */
  GString *(*call) (NegoLink *link,
                    const NegoLinkRequest *request,
                    gint64 deadline,
                    GError **error);
  /* Of a link that messages also arrive on unasked, else all NULL; after the first post(), call()
   * is not used any more. Sends without waiting for the reply: replies come in the order of the
   * requests. */
  gboolean (*post) (NegoLink *link,
                    const NegoLinkRequest *request,
                    gint64 deadline,
                    GError **error);
  /* The next message that is there now; FALSE without @error: none is. @message is borrowed until
   * the next call. */
  gboolean (*next) (NegoLink *link, NegoFramerMessage *message, GError **error);
  /* Readable when next() may have one. */
  int (*get_fd) (NegoLink *link);
  void (*free) (NegoLink *link);
} NegoLinkClass;

struct NegoLink {
  const NegoLinkClass *klass;
  gboolean shared; /* while a call goes on, libvirt's other users of this agent wait */
};

static inline void
nego_link_free (NegoLink *link)
{
  link->klass->free (link);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoLink, nego_link_free)

/* The milliseconds left until @deadline, for poll(): rounded up, 0 when it is over, -1 when there
 * is none. */
static inline int
nego_link_time_left (gint64 deadline)
{
  gint64 left;

  if (deadline == G_MAXINT64)
    return -1;
  left = deadline - g_get_monotonic_time ();
  return left <= 0 ? 0 : (int) MIN ((left + 999) / 1000, G_MAXINT);
}
