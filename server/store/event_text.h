/* event_text.h -- what events say, as JSON; the same in every store. */
#ifndef SERVER_STORE_EVENT_TEXT_H
#define SERVER_STORE_EVENT_TEXT_H

#include "server/store/store.h"

#define SRV_EVENT_TEXT 256

void srv_event_state(char text[SRV_EVENT_TEXT], enum api_state state, int64_t attempt);
void srv_event_progress(char text[SRV_EVENT_TEXT], const struct srv_report *r);
void srv_event_preview(char text[SRV_EVENT_TEXT], const char *id, const struct srv_report *r);

#endif
