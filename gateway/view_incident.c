/*
 * Incidents, alerts and notes as objects. Exactly the vendor's keys: its own clients refuse others,
 * and miss what is left out.
 */
#include "gateway/view.h"

#include "gateway/clock.h"
#include "gateway/engine.h"
#include "gateway/route.h"
#include "proto/json_find.h"

/* With the four that are shown, and all that is beside them, below VIEW_ALERT_MOST. */
enum { FIELDS_MOST = 1 << 20, FIELD_MOST = 64 << 10 };

bool
view_find(struct txn *txn, struct slice name, uint64_t *number, struct incident_row *row)
{
	struct uuid id;

	if (route_number(name, number))
		return incidents_get(txn, *number, row);
	if (!id22_parse(name, &id))
		return false;
	*number = get_u64(id.b + 8); /* a unique id ends in it */
	return incidents_get(txn, *number, row) && uuid_compare(&row->unique_id, &id) == 0;
}

void
view_incident(struct json_writer *w, uint64_t number, const struct incident_row *row)
{
	const struct conf_service *service = engine_service(row->service);
	struct incident incident = engine_incident(number, row);
	struct service_facts facts;

	if (service != NULL)
		facts = engine_service_facts(service, clock_wall());
	incident_write_api(w, &incident, service != NULL ? &facts : NULL);
}

/* ---- members ----------------------------------------------------------------------------- */

static void
put_text(struct json_writer *w, const char *key, struct slice text)
{
	json_key(w, key);
	json_string(w, text);
}

static void
put_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_text(id, text);
	put_text(w, key, slice_of(text));
}

static void
put_id22(struct json_writer *w, const char *key, const struct uuid *id)
{
	char text[ID22_TEXT];

	id22_text(id, text);
	put_text(w, key, slice_of(text));
}

static void
put_null(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_null(w);
}

/* The alert's own member of that name, or what stands for one that it did not bring. */
static void
put_field(struct json_writer *w, const struct alert_row *row, const char *key, struct slice absent)
{
	struct slice value = json_find(row->fields, key);

	json_key(w, key);
	if (row->fields.n > FIELDS_MOST && value.n > FIELD_MOST)
		json_null(w);
	else
		json_raw(w, value.n > 0 ? value : absent);
}

/* ---- alerts ------------------------------------------------------------------------------ */

/* A service without a team has the nil UUID for one, as the vendor's client takes nothing but a
 * UUID there. */
static void
put_team(struct json_writer *w, struct slice text)
{
	struct uuid team = {{0}};

	if (!uuid_parse(text, &team))
		team = (struct uuid){{0}};
	put_uuid(w, "team", &team);
}

static void
put_integration(struct json_writer *w, const struct conf_integration *integration, bool key)
{
	json_key(w, "integration_object");
	if (integration == NULL) {
		json_null(w);
		return;
	}
	json_open(w, '{');
	put_text(w, "name", integration->name);
	view_date(w, "creation_date", integration->seen);
	put_text(w, "summary", SLICE(""));
	put_uuid(w, "unique_id", &integration->unique_id);
	put_uuid(w, "service", &integration->service->facts.unique_id);
	put_team(w, integration->service->facts.team);
	if (key)
		put_text(w, "integration_key", integration->key);
	else
		put_null(w, "integration_key");
	json_key(w, "is_enabled");
	json_bool(w, integration->enabled);
	json_key(w, "integration_type");
	json_int(w, 0);
	json_close(w, '}');
}

static void
put_number(struct json_writer *w, const char *key, uint64_t number)
{
	json_key(w, key);
	if (number == 0)
		json_null(w);
	else
		json_uint(w, number);
}

void
view_alert(struct json_writer *w, const struct uuid *id, const struct alert_row *row, bool key)
{
	const struct conf_integration *integration = engine_integration(row->integration);
	const char type[] = {(char)('0' + row->type), '\0'};

	json_open(w, '{');
	put_integration(w, integration, key);
	put_field(w, row, "summary", SLICE("\"\""));
	put_number(w, "incident", row->number);
	view_date(w, "creation_date", row->wall);
	put_field(w, row, "message", SLICE("\"\""));
	if (integration != NULL)
		put_uuid(w, "integration", &integration->unique_id);
	else
		put_null(w, "integration");
	json_key(w, "suppressed");
	json_bool(w, row->suppressed);
	put_text(w, "entity_id", row->entity_id);
	put_field(w, row, "payload", SLICE("{}"));
	put_text(w, "alert_type", slice_of(type));
	put_id22(w, "unique_id", id);
	json_key(w, "images");
	json_raw(w, SLICE("[]"));
	put_field(w, row, "urls", SLICE("[]"));
	json_key(w, "notes");
	json_raw(w, SLICE("[]"));
	json_close(w, '}');
}

/* ---- notes ------------------------------------------------------------------------------- */

void
view_note(struct json_writer *w, uint64_t number, const struct uuid *id, const struct note_row *row)
{
	json_open(w, '{');
	put_id22(w, "unique_id", id);
	put_number(w, "incident", number);
	if (row->user.n > 0)
		put_text(w, "user", row->user);
	else
		put_null(w, "user");
	put_text(w, "note", row->text);
	put_text(w, "user_name", row->user);
	view_date(w, "creation_date", row->wall);
	json_close(w, '}');
}
