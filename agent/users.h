/* SPDX-License-Identifier: MIT */
/*
 * users: who is logged in, each once, of the records of utmp(5) or of the files in which
 * systemd-logind keeps its sessions (systemd's src/login/logind-session.c writes them).
 */
#pragma once

#include "qapi/qapi-types.h"

typedef struct NegoUsers NegoUsers;

/* Keeps up to @limit users. */
NegoUsers *nego_users_new (guint limit);
void nego_users_free (NegoUsers *users);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoUsers, nego_users_free)

/* Those of the records in @data; a piece of a record at the end is ignored. */
void nego_users_add_utmp (NegoUsers *users, const char *data, gsize len);
/* That of the session in @text, if it is a person's on a terminal or a screen: utmp has no others
 * either. */
void nego_users_add_session (NegoUsers *users, const char *text);

/* Returns: (transfer full) (element-type QapiGuestUser): in the order in which they were added, or
 * NULL if there were more than the limit. */
GPtrArray *nego_users_steal (NegoUsers *users);
