/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/handlers.h"
#include "common/names.h"
#include "common/session.h"

QapiNegotiatorSession *
nego_cmd_negotiator_session (NegoCall *call, const QapiNegotiatorSessionArgs *args, GError **error)
{
  QapiNegotiatorSession *session;

  if (nego_call_is_qga (call)) {
    nego_session_refuse_concurrent (error);
    return NULL;
  }
  nego_call_set_concurrent (call, args->concurrent);
  session = qapi_negotiator_session_new ();
  session->concurrent = args->concurrent;
  session->was_concurrent = nego_call_is_concurrent (call);
  session->limit = args->concurrent ? NEGO_SESSION_CONCURRENT : 1;
  return session;
}

gboolean
nego_cmd_negotiator_cancel (NegoCall *call, const QapiNegotiatorCancelArgs *args, GError **error)
{
  nego_call_cancel (call, args->request);
  return TRUE;
}
