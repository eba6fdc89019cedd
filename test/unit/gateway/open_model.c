/*
 * The table of open incidents against a plain model: random changes in turns that are kept or
 * dropped at random; after each turn all that can be asked is compared, and now and then the
 * table is read from the store again. The changes come as the engine makes them: what a start
 * needs is saved.
 */
#include "world.h"

static struct uuid
id_of(uint32_t n)
{
	static const uint8_t random[8];
	struct uuid base = uuid_v7((uint64_t)WORLD_START_S * 1000, 0, random, 0);

	return uuid_v7_after(&base, n);
}

static void
set_head(struct open_incident *incident, uint32_t n)
{
	struct uuid id = id_of(n);

	open_set_head(incident, &id);
}

static void
assert_heads_from(uint32_t n)
{
	struct uuid want = id_of(n), got;

	assert_true(open_heads_from(&got));
	assert_memory_equal(got.b, want.b, sizeof got.b);
}

enum { MODEL_MAX = 2000, MODEL_KEYS = 5, TURNS = 1500 };

struct model_incident {
	bool open, dirty;
	uint8_t status;
	uint32_t service;
	int64_t triggered, acknowledged;
	uint32_t head, dirty_from;
	size_t key_count;
	uint32_t keys[MODEL_KEYS]; /* entity id "e%u"; none is used twice */
};

struct model {
	struct model_incident incidents[MODEL_MAX]; /* by number */
	uint32_t next_number, next_key, next_alert;
};

static struct model model, model_before;
static uint64_t seed = 4;

static uint32_t
draw(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static struct slice
entity_of(uint32_t key)
{
	static char text[16];

	return (struct slice){text, (size_t)snprintf(text, sizeof text, "e%u", key)};
}

/* Number of some open incident; 0: there is none. */
static uint32_t
some_open(void)
{
	uint32_t first = 1 + draw(model.next_number);

	for (uint32_t i = 0; i < model.next_number; i++) {
		uint32_t number = (first + i) % model.next_number;

		if (model.incidents[number].open)
			return number;
	}
	return 0;
}

static void
clean(uint32_t number)
{
	model.incidents[number].dirty = false;
}

static void
save(uint32_t number)
{
	open_save(turn(), open_by_number(number));
	clean(number);
}

static void
link_some(uint32_t number)
{
	struct model_incident *m = &model.incidents[number];

	if (m->key_count == MODEL_KEYS)
		return;
	assert_true(open_link(open_by_number(number), 1, entity_of(model.next_key)));
	m->keys[m->key_count++] = model.next_key++;
	save(number);
}

static void
put_alert(uint32_t number)
{
	struct uuid id = id_of(model.next_alert);

	alerts_put(turn(), &id, &(struct alert_row){.number = number});
	model.incidents[number].head = model.next_alert++;
}

static void
add_some(void)
{
	uint32_t number = model.next_number++;
	struct model_incident *m = &model.incidents[number];
	struct open_incident *incident;

	assert_true(number < MODEL_MAX);
	*m = (struct model_incident){.open = true, .service = draw(3) * 70};
	incident = open_add(number, m->service);
	assert_non_null(incident);
	put_alert(number);
	incident->head = id_of(m->head);
	incidents_put(turn(), number, &(struct incident_row){.service = m->service});
	link_some(number);
}

static void
change_some(uint32_t number)
{
	struct open_incident *incident = open_by_number(number);
	struct model_incident *m = &model.incidents[number];

	assert_true(open_touch(incident));
	m->status = (uint8_t)(1 + draw(2));
	open_set_status(incident, m->status);
	m->triggered = incident->triggered = draw(1000);
	m->acknowledged = incident->acknowledged = draw(1000);
	save(number);
}

static void
move_head(uint32_t number)
{
	struct model_incident *m = &model.incidents[number];

	put_alert(number);
	if (!m->dirty)
		m->dirty_from = m->head;
	m->dirty = true;
	set_head(open_by_number(number), m->head);
}

static void
close_some(uint32_t number)
{
	open_close(open_by_number(number));
	open_remove(turn(), number);
	model.incidents[number].open = model.incidents[number].dirty = false;
}

/* Number of the incident that is dirty for longest; 0: none is. */
static uint32_t
dirtiest(void)
{
	uint32_t number = 0;

	for (uint32_t i = 1; i < model.next_number; i++)
		if (model.incidents[i].dirty &&
		    (number == 0 ||
		     model.incidents[i].dirty_from < model.incidents[number].dirty_from))
			number = i;
	return number;
}

static void
save_some(size_t max)
{
	uint32_t number;

	open_save_heads(turn(), max);
	for (; max > 0 && (number = dirtiest()) != 0; max--)
		clean(number);
}

static void
do_something(void)
{
	uint32_t what = draw(20), number = some_open();

	if (number == 0 || what < 3)
		add_some();
	else if (what < 5)
		link_some(number);
	else if (what < 7)
		change_some(number);
	else if (what < 14)
		move_head(number);
	else if (what < 17)
		close_some(number);
	else
		save_some(draw(3));
}

static void
compare_incident(uint32_t number)
{
	const struct model_incident *m = &model.incidents[number];
	const struct open_incident *incident = open_by_number(number);
	struct uuid head = id_of(m->head);

	assert_int_equal(incident != NULL, m->open);
	for (size_t i = 0; i < m->key_count; i++)
		assert_ptr_equal(open_find(1, entity_of(m->keys[i])), incident);
	if (incident == NULL)
		return;
	assert_int_equal(incident->service, m->service);
	assert_int_equal(incident->status, m->status);
	assert_int_equal(incident->triggered, m->triggered);
	assert_int_equal(incident->acknowledged, m->acknowledged);
	assert_int_equal(incident->dirty, m->dirty);
	assert_int_equal(incident->link_count, m->key_count);
	assert_memory_equal(incident->head.b, head.b, sizeof head.b);
}

static void
compare(void)
{
	uint32_t newest[3] = {0}, of[3] = {0}, total = 0, number = dirtiest();
	struct uuid none;

	for (uint32_t i = 1; i < model.next_number; i++) {
		compare_incident(i);
		if (model.incidents[i].open)
			newest[model.incidents[i].service / 70] = i;
		total += model.incidents[i].open;
		of[model.incidents[i].status] += model.incidents[i].open;
	}
	for (uint32_t key = model.next_key; key < model.next_key + 20; key++)
		assert_null(open_find(1, entity_of(key))); /* of turns that failed */
	for (uint32_t service = 0; service < 3; service++) {
		const struct open_incident *incident = open_newest(service * 70);

		assert_int_equal(incident == NULL ? 0 : incident->number, newest[service]);
	}
	assert_int_equal(open_total(), total);
	for (int status = INCIDENT_TRIGGERED; status <= INCIDENT_ACKNOWLEDGED; status++)
		assert_int_equal(open_total_of((enum incident_status)status), of[status]);
	if (number == 0)
		assert_false(open_heads_from(&none));
	else
		assert_heads_from(model.incidents[number].dirty_from);
}

static void
reload(void)
{
	static const uint8_t key[16] = "another key";
	struct uuid from = id_of(model.next_alert);

	if (!open_heads_from(&from))
		from = id_of(model.next_alert);
	open_stop();
	assert_int_equal(open_start(key), 0);
	assert_int_equal(open_load(look(), &from), 0);
}

static void
end_turn(bool keep)
{
	int result = STORE_OK;

	if (keep && w.txn != NULL)
		result = store_commit(w.txn);
	else
		store_abort(w.txn);
	w.txn = NULL;
	assert_int_equal(result, STORE_OK);
	open_settle(keep);
	if (!keep)
		model = model_before;
}

static void
test_open_model(void **state)
{
	(void)state;
	model = (struct model){.next_number = 1, .next_key = 1, .next_alert = 1};
	for (int i = 1; i <= TURNS; i++) {
		model_before = model;
		for (uint32_t n = 1 + draw(8); n > 0; n--)
			do_something();
		end_turn(draw(3) != 0);
		compare();
		if (i % 50 == 0) {
			reload();
			compare();
		}
	}
	assert_true(model.next_number > 100);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {WORLD_TEST(test_open_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
