/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-freeze"

#include "config.h"

#include "agent/freeze.h"

#include "agent/freeze-items.h"
#include "agent/freeze-state.h"
#include "agent/frozen-marker.h"
#include "agent/hook.h"
#include "common/error.h"
#include "common/names.h"
#include "common/pipe.h"
#include "common/source.h"

#include <errno.h>
#include <unistd.h>

typedef struct {
  NegoFreezeFunc done;
  gpointer user_data;
} NegoFreezeWaiter;

struct NegoFreeze {
  NegoFreezeState state;
  gboolean frozen;
  char *root, *marker, *boot_id;
  guint thaw_after_ms, thaw_wait_ms;
  const NegoFreezeOps *ops;
  NegoFreezeChangedFunc changed;
  gpointer user_data;
  NegoOffload *offload; /* of its own: dead disks must not hold up a thaw */
  NegoHook *hook;
  GSource *deadline;
  char **wanted; /* NULL: all */
  GQueue todo;   /* NegoFreezeItem */
  GQueue done;   /* NegoFreezeItem: frozen by us */
  NegoFreezeMount *mount;
  NegoFreezeItem *thawing;
  char *undoing; /* what a thread still freezes, to thaw it then; NULL: none */
  guint late;    /* threads that still thaw what we froze */
  gint64 count, thawed;
  GError *freeze_error, *thaw_error;
  GArray *freeze_waiters, *thaw_waiters; /* NegoFreezeWaiter */
  gboolean ending;
  NegoFreezeEndedFunc ended; /* NULL: nobody waits for the end */
  gpointer ended_data;
};

static void nego_freeze_step (NegoFreeze *freeze, NegoFreezeEvent event);

static void
nego_freeze_set_error (GError **error, const char *what, const char *path, int errnum)
{
  if (*error == NULL)
    nego_error_set_errno (error, errnum, "%s %s", what, path);
}

static gboolean
nego_freeze_late_cb (gpointer user_data)
{
  NegoFreeze *freeze = user_data;

  g_warning ("file systems were frozen for %u s: they are thawed now",
             freeze->thaw_after_ms / 1000);
  nego_source_clear (&freeze->deadline);
  nego_freeze_step (freeze, NEGO_FREEZE_EVENT_THAW);
  return G_SOURCE_REMOVE;
}

static void
nego_freeze_start_deadline (NegoFreeze *freeze)
{
  if (freeze->thaw_after_ms > 0)
    freeze->deadline = nego_source_add_timeout (freeze->thaw_after_ms, nego_freeze_late_cb, freeze);
}

NegoFreeze *
nego_freeze_new (const NegoFreezeSettings *settings,
                 NegoFreezeChangedFunc changed,
                 gpointer user_data)
{
  NegoFreeze *freeze = g_new0 (NegoFreeze, 1);

  freeze->root = g_strdup (settings->root != NULL ? settings->root : "");
  freeze->boot_id = g_strdup (settings->boot_id);
  freeze->thaw_after_ms = settings->thaw_after_ms;
  freeze->thaw_wait_ms = settings->thaw_wait_ms > 0 ? settings->thaw_wait_ms : NEGO_THAW_WAIT_MS;
  freeze->ops = settings->ops;
  freeze->changed = changed;
  freeze->user_data = user_data;
  freeze->offload = nego_offload_new ();
  freeze->hook = nego_hook_new (settings->hook, settings->hook_ms);
  freeze->freeze_waiters = g_array_new (FALSE, FALSE, sizeof (NegoFreezeWaiter));
  freeze->thaw_waiters = g_array_new (FALSE, FALSE, sizeof (NegoFreezeWaiter));
  if (settings->statedir != NULL)
    freeze->marker = nego_frozen_marker_get_path (settings->statedir);
  if (freeze->marker != NULL && nego_frozen_marker_is_set (freeze->marker, freeze->boot_id)) {
    freeze->state = NEGO_FREEZE_FROZEN;
    freeze->frozen = TRUE;
    nego_freeze_start_deadline (freeze);
  }
  return freeze;
}

void
nego_freeze_free (NegoFreeze *freeze)
{
  if (freeze == NULL)
    return;
  if (freeze->mount != NULL) {
    int fd = nego_freeze_mount_give_up (freeze->mount, NULL, NULL);

    nego_pipe_close (&fd);
  }
  nego_hook_free (freeze->hook);
  nego_offload_free (freeze->offload);
  nego_source_clear (&freeze->deadline);
  g_queue_clear_full (&freeze->todo, nego_freeze_item_free);
  g_queue_clear_full (&freeze->done, nego_freeze_item_free);
  g_clear_pointer (&freeze->thawing, nego_freeze_item_free);
  g_free (freeze->undoing);
  g_clear_error (&freeze->freeze_error);
  g_clear_error (&freeze->thaw_error);
  g_array_unref (freeze->freeze_waiters);
  g_array_unref (freeze->thaw_waiters);
  g_strfreev (freeze->wanted);
  g_free (freeze->root);
  g_free (freeze->marker);
  g_free (freeze->boot_id);
  g_free (freeze);
}

gboolean
nego_freeze_is_frozen (const NegoFreeze *freeze)
{
  return freeze->frozen;
}

/* Whether no thread has a file system in its hands. */
static gboolean
nego_freeze_is_settled (const NegoFreeze *freeze)
{
  return freeze->undoing == NULL && freeze->late == 0;
}

gboolean
nego_freeze_is_idle (const NegoFreeze *freeze)
{
  return freeze->state == NEGO_FREEZE_THAWED && nego_freeze_is_settled (freeze);
}

/* Before the first is frozen, and after the last is thawed: the marker may lie on one of them. */
static void
nego_freeze_set_frozen (NegoFreeze *freeze, gboolean frozen)
{
  if (freeze->frozen == frozen)
    return;
  freeze->frozen = frozen;
  if (frozen && freeze->marker != NULL)
    nego_frozen_marker_set (freeze->marker, freeze->boot_id);
  if (!frozen && freeze->marker != NULL)
    nego_frozen_marker_clear (freeze->marker);
  nego_source_clear (&freeze->deadline);
  if (frozen)
    nego_freeze_start_deadline (freeze);
  freeze->changed (frozen, freeze->user_data);
}

static void
nego_freeze_tell_ended (NegoFreeze *freeze)
{
  NegoFreezeEndedFunc ended = freeze->ended;

  if (ended == NULL || !nego_freeze_is_idle (freeze))
    return;
  freeze->ended = NULL;
  ended (freeze->ended_data);
}

/* What a thread had is thawed. Until the last is, all the rest goes on as if frozen: the log, for
 * one, may lie on it. */
static void
nego_freeze_settle (NegoFreeze *freeze)
{
  if (!nego_freeze_is_settled (freeze)
      || (freeze->state != NEGO_FREEZE_FINISHING && freeze->state != NEGO_FREEZE_THAWED))
    return;
  nego_freeze_set_frozen (freeze, FALSE);
  nego_freeze_tell_ended (freeze);
}

static void
nego_freeze_answer (GArray **waiters, gint64 count, const GError *error)
{
  g_autoptr (GArray) all = *waiters;

  /* A waiter may ask for the next one. */
  *waiters = g_array_new (FALSE, FALSE, sizeof (NegoFreezeWaiter));
  for (guint i = 0; i < all->len; i++) {
    const NegoFreezeWaiter *waiter = &g_array_index (all, NegoFreezeWaiter, i);

    waiter->done (count, error, waiter->user_data);
  }
}

static void
nego_freeze_hook_cb (const GError *error, gpointer user_data)
{
  NegoFreeze *freeze = user_data;

  if (error != NULL)
    g_warning ("%s", error->message);
  if (error != NULL && freeze->state == NEGO_FREEZE_PREPARING)
    freeze->freeze_error = g_error_copy (error);
  if (error != NULL && freeze->state == NEGO_FREEZE_FINISHING && freeze->thaw_error == NULL)
    freeze->thaw_error = g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC,
                                      "%s (file systems thawed: %" G_GINT64_FORMAT ")",
                                      error->message, freeze->thawed);
  nego_freeze_step (freeze,
                    error == NULL ? NEGO_FREEZE_EVENT_HOOK_OK : NEGO_FREEZE_EVENT_HOOK_FAILED);
}

static void nego_freeze_next (NegoFreeze *freeze);

static void
nego_freeze_mount_cb (int open_errno, int errnum, int fd, gpointer user_data)
{
  NegoFreeze *freeze = user_data;
  const char *path = nego_freeze_mount_get_path (freeze->mount);

  if (open_errno != 0) {
    nego_freeze_set_error (&freeze->freeze_error, "failed to open", path, open_errno);
  } else if (errnum == 0) {
    g_queue_push_head (&freeze->done, nego_freeze_item_new (path, fd));
    freeze->count++;
  } else {
    close (fd);
    /* It cannot be frozen, or is already. */
    if (errnum != EOPNOTSUPP && errnum != EBUSY)
      nego_freeze_set_error (&freeze->freeze_error, "failed to freeze", path, errnum);
  }
  freeze->mount = NULL;
  nego_freeze_next (freeze);
}

static void
nego_freeze_next (NegoFreeze *freeze)
{
  NegoFreezeItem *item;

  if (freeze->freeze_error != NULL) {
    nego_freeze_step (freeze, NEGO_FREEZE_EVENT_FAILED);
    return;
  }
  item = g_queue_pop_head (&freeze->todo);
  if (item == NULL) {
    nego_freeze_step (freeze,
                      freeze->count > 0 ? NEGO_FREEZE_EVENT_FROZEN : NEGO_FREEZE_EVENT_NONE);
    return;
  }
  freeze->mount = nego_freeze_mount_start (freeze->offload, freeze->ops, item->path,
                                           nego_freeze_mount_cb, freeze, &freeze->freeze_error);
  nego_freeze_item_free (item);
  if (freeze->mount == NULL)
    nego_freeze_step (freeze, NEGO_FREEZE_EVENT_FAILED);
}

static void
nego_freeze_enter_freezing (NegoFreeze *freeze)
{
  if (!nego_freeze_items_list (&freeze->todo, freeze->root, (const char *const *) freeze->wanted,
                               &freeze->freeze_error)) {
    nego_freeze_step (freeze, NEGO_FREEZE_EVENT_FAILED);
    return;
  }
  g_message ("freezing %u file systems", freeze->todo.length);
  nego_freeze_set_frozen (freeze, TRUE);
  nego_freeze_next (freeze);
}

static void nego_freeze_thaw_next (NegoFreeze *freeze);

static void
nego_freeze_end_thaw (NegoFreeze *freeze, guint n, int errnum)
{
  g_autoptr (NegoFreezeItem) item = g_steal_pointer (&freeze->thawing);

  if (n > 0)
    freeze->thawed++;
  /* qemu-ga passes over what cannot be opened; what we froze ourselves must not be passed over. */
  if (errnum != 0 && (item->ours || errnum == ETIMEDOUT))
    nego_freeze_set_error (&freeze->thaw_error, "failed to thaw", item->path, errnum);
  nego_freeze_thaw_next (freeze);
}

static void
nego_freeze_thawed_cb (gpointer data, gpointer user_data)
{
  const NegoThawResult *result = data;
  NegoFreeze *freeze = user_data;

  if (result == NULL && freeze->thawing->ours)
    freeze->late++;
  nego_freeze_end_thaw (freeze, result != NULL ? result->n : 0,
                        result != NULL ? result->errnum : ETIMEDOUT);
}

static void
nego_freeze_thawed_late_cb (gpointer data, gpointer user_data)
{
  NegoFreeze *freeze = user_data;

  freeze->late--;
  nego_freeze_settle (freeze);
}

static void
nego_freeze_thaw_next (NegoFreeze *freeze)
{
  NegoFreezeItem *item = g_queue_pop_head (&freeze->todo);
  int fd;

  if (item == NULL) {
    nego_freeze_step (freeze, NEGO_FREEZE_EVENT_THAWED);
    return;
  }
  fd = item->fd;
  item->fd = -1;
  freeze->thawing = item;
  if (!nego_thaw_mount_start (freeze->offload, freeze->ops, item->path, fd, freeze->thaw_wait_ms,
                              nego_freeze_thawed_cb, item->ours ? nego_freeze_thawed_late_cb : NULL,
                              freeze))
    nego_freeze_end_thaw (freeze, 0, EBUSY);
}

static void
nego_freeze_undone_cb (NegoFreezeMount *mount, gpointer user_data)
{
  NegoFreeze *freeze = user_data;

  g_message ("%s is thawed", freeze->undoing);
  g_clear_pointer (&freeze->undoing, g_free);
  nego_freeze_settle (freeze);
}

static void
nego_freeze_give_up_mount (NegoFreeze *freeze)
{
  NegoFreezeMount *mount = g_steal_pointer (&freeze->mount);
  g_autofree char *path = g_strdup (nego_freeze_mount_get_path (mount));
  int fd = nego_freeze_mount_give_up (mount, nego_freeze_undone_cb, freeze);

  if (fd >= 0)
    g_queue_push_head (&freeze->done, nego_freeze_item_new (path, fd));
  else
    freeze->undoing = g_steal_pointer (&path);
}

static void
nego_freeze_enter_thawing (NegoFreeze *freeze)
{
  g_queue_clear_full (&freeze->todo, nego_freeze_item_free);
  if (freeze->mount != NULL)
    nego_freeze_give_up_mount (freeze);
  nego_freeze_items_list_thaws (&freeze->todo, &freeze->done, freeze->root, freeze->undoing,
                                &freeze->thaw_error);
  nego_freeze_thaw_next (freeze);
}

static void
nego_freeze_enter_thawed (NegoFreeze *freeze)
{
  g_autoptr (GError) freeze_error = g_steal_pointer (&freeze->freeze_error);
  g_autoptr (GError) thaw_error = g_steal_pointer (&freeze->thaw_error);
  const gint64 thawed = freeze->thawed;

  if (thaw_error != NULL && freeze->thaw_waiters->len == 0)
    g_warning ("%s", thaw_error->message);
  freeze->thawed = 0;
  nego_freeze_answer (&freeze->freeze_waiters, 0, freeze_error);
  nego_freeze_answer (&freeze->thaw_waiters, thawed, thaw_error);
  nego_freeze_tell_ended (freeze);
}

static void
nego_freeze_enter (NegoFreeze *freeze)
{
  switch (freeze->state) {
  case NEGO_FREEZE_PREPARING:
    nego_hook_run (freeze->hook, "freeze", nego_freeze_hook_cb, freeze);
    break;
  case NEGO_FREEZE_CANCELLING:
    nego_hook_end (freeze->hook);
    break;
  case NEGO_FREEZE_FREEZING:
    nego_freeze_enter_freezing (freeze);
    break;
  case NEGO_FREEZE_FROZEN:
    nego_freeze_answer (&freeze->freeze_waiters, freeze->count, NULL);
    break;
  case NEGO_FREEZE_THAWING:
    nego_freeze_enter_thawing (freeze);
    break;
  case NEGO_FREEZE_FINISHING:
    nego_freeze_settle (freeze);
    nego_hook_run (freeze->hook, "thaw", nego_freeze_hook_cb, freeze);
    break;
  case NEGO_FREEZE_THAWED:
    nego_freeze_enter_thawed (freeze);
    break;
  case NEGO_FREEZE_STATES:
  default:
    g_assert_not_reached ();
  }
}

static void
nego_freeze_step (NegoFreeze *freeze, NegoFreezeEvent event)
{
  NegoFreezeState next = nego_freeze_state_next (freeze->state, event);

  if (next == freeze->state)
    return;
  if (event == NEGO_FREEZE_EVENT_THAW && freeze->freeze_waiters->len > 0
      && freeze->freeze_error == NULL)
    freeze->freeze_error
      = g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC, "the freeze was ended by a thaw");
  freeze->state = next;
  nego_freeze_enter (freeze);
}

static void
nego_freeze_add_waiter (GArray *waiters, NegoFreezeFunc done, gpointer user_data)
{
  NegoFreezeWaiter waiter = { done, user_data };

  if (done != NULL)
    g_array_append_val (waiters, waiter);
}

void
nego_freeze_freeze (NegoFreeze *freeze,
                    const char *const *paths,
                    NegoFreezeFunc done,
                    gpointer user_data)
{
  if (freeze->ending || !nego_freeze_is_idle (freeze)) {
    g_autoptr (GError) error
      = g_error_new_literal (NEGO_ERROR, NEGO_ERROR_BUSY,
                             freeze->ending ? "the agent is stopping"
                                            : "a freeze or thaw goes on already");

    done (0, error, user_data);
    return;
  }
  g_strfreev (freeze->wanted);
  freeze->wanted = g_strdupv ((char **) paths);
  freeze->count = 0;
  nego_freeze_add_waiter (freeze->freeze_waiters, done, user_data);
  nego_freeze_step (freeze, NEGO_FREEZE_EVENT_FREEZE);
}

void
nego_freeze_thaw (NegoFreeze *freeze, NegoFreezeFunc done, gpointer user_data)
{
  nego_freeze_add_waiter (freeze->thaw_waiters, done, user_data);
  nego_freeze_step (freeze, NEGO_FREEZE_EVENT_THAW);
}

void
nego_freeze_end (NegoFreeze *freeze, NegoFreezeEndedFunc ended, gpointer user_data)
{
  freeze->ending = TRUE;
  freeze->ended = ended;
  freeze->ended_data = user_data;
  if (nego_freeze_is_idle (freeze)) {
    nego_freeze_tell_ended (freeze);
    return;
  }
  g_message ("file systems are thawed, since the agent ends");
  nego_freeze_step (freeze, NEGO_FREEZE_EVENT_THAW);
}
