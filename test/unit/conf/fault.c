/*
 * What operators are told (CONTRACT §10): each row is a file, with ' for ", and exactly the lines that
 * it gets.
 */
#include "parse.h"

#include "conf/fault.h"

#define SERVICE(members) "{'services': [{'name': 'S', " members "}]}"
#define INTEGRATION(members) \
	SERVICE("'integrations': [{'name': 'I', 'key': 'k', " members "}]")
#define WEBHOOK(members) SERVICE("'webhooks': [{'name': 'W', 'url': 'http://a/', " members "}]")
#define WINDOW(members)  SERVICE("'maintenance': [{" members "}]")
#define TOKEN(value)     "{'tokens': [{'name': 'T', 'token': " value "}]}"
#define LISTEN(list) \
	"{'tokens': [{'name': 'T', 'token': '0123456789abcdef'}], 'listen': [" list "]}"

struct row {
	const char *text, *lines;
};

static const struct row roots[] = {
	{"[1]",
	    "t:1:1: must be an object\n"},
	{"7",
	    "t:1:1: must be an object\n"},
};

static const struct row keys[] = {
	{"{'nod': 1}",
	    "t:1:2: nod: is not an option; did you mean 'node'?\n"},
	{"{'colour': 1}",
	    "t:1:2: colour: is not an option\n"},
	{"{'DATA': 'x'}",
	    "t:1:2: DATA: is not an option; did you mean 'data'?\n"},
	{"{'limits': {'bodi': 1}}",
	    "t:1:13: limits.bodi: is not an option; did you mean 'body'?\n"},
	{"{'limits': {'max_size': 1}}",
	    "t:1:13: limits.max_size: is not an option\n"},
	{"{'node': 1,\n 'data': 'x',\n 'node': 2}",
	    "t:3:2: node: is already given on line 1\n"},
	{"{'': 1}",
	    "t:1:2: ['']: is not an option\n"},
	{"{'a\\u0000\\u001b\\u202eb': 1}",
	    "t:1:2: ['a\\u0000\\u001b\\u202eb']: is not an option\n"},
	{SERVICE("'Name': 'T'"),
	    "t:1:29: services[0].Name: is not an option; did you mean 'name'?\n"},
	{WEBHOOK("'tls': {'ca': null}"),
	    "t:1:84: services[0].webhooks[0].tls.ca: is not an option\n"},
	{INTEGRATION("'rate_limit': {'bursts': 1}"),
	    "t:1:87: services[0].integrations[0].rate_limit.bursts: is not an option; did you mean 'burst'?\n"},
	{"{'\xc3\xa4': 1, 'x': 2}",
	    "t:1:2: \xc3\xa4: is not an option\n"
	    "t:1:10: x: is not an option\n"},
	{"{'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg': 1}",
	    "t:1:2: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg...: is not an option\n"},
};

static const struct row missing[] = {
	{"{'listen': [{}]}",
	    "t:1:13: listen[0].address: is missing\n"},
	{"{'tokens': [{}]}",
	    "t:1:13: tokens[0].name: is missing\n"
	    "t:1:13: tokens[0].token: is missing\n"},
	{"{'users': [{}]}",
	    "t:1:12: users[0].username: is missing\n"},
	{"{'services': [{}]}",
	    "t:1:15: services[0].name: is missing\n"},
	{SERVICE("'integrations': [{}], 'webhooks': [{}]"),
	    "t:1:46: services[0].integrations[0].name: is missing\n"
	    "t:1:46: services[0].integrations[0].key: is missing\n"
	    "t:1:64: services[0].webhooks[0].name: is missing\n"
	    "t:1:64: services[0].webhooks[0].url: is missing\n"},
	{WINDOW(""),
	    "t:1:45: services[0].maintenance[0].start: is missing\n"
	    "t:1:45: services[0].maintenance[0].end: is missing\n"},
	{WEBHOOK("'auth': {}"),
	    "t:1:84: services[0].webhooks[0].auth.type: is missing\n"},
	{WEBHOOK("'auth': [{'type': 'basic'}]"),
	    "t:1:85: services[0].webhooks[0].auth[0].username: is missing\n"
	    "t:1:85: services[0].webhooks[0].auth[0].password: is missing\n"},
	{WEBHOOK("'auth': {'type': 'hmac'}"),
	    "t:1:84: services[0].webhooks[0].auth.key: is missing\n"},
};

static const struct row types[] = {
	{"{'data': 1}",
	    "t:1:10: data: must be a text\n"},
	{"{'node': '1'}",
	    "t:1:10: node: must be a whole number\n"},
	{"{'node': 1.0}",
	    "t:1:10: node: must be a whole number\n"},
	{"{'node': 1e1}",
	    "t:1:10: node: must be a whole number\n"},
	{"{'node': null}",
	    "t:1:10: node: must be a whole number\n"},
	{"{'drain': 10}",
	    "t:1:11: drain: must be a time such as '500ms', '30s', '5m', '2h' or '7d'\n"},
	{"{'drain': '10'}",
	    "t:1:11: drain: must be a time such as '500ms', '30s', '5m', '2h' or '7d'\n"},
	{"{'limits': {'body': '1kb'}}",
	    "t:1:21: limits.body: must be a size such as '512KiB', '16MiB' or '64GiB'\n"},
	{"{'limits': {'body': -1}}",
	    "t:1:21: limits.body: must be a size such as '512KiB', '16MiB' or '64GiB'\n"},
	{"{'limits': {'body': true}}",
	    "t:1:21: limits.body: must be a size such as '512KiB', '16MiB' or '64GiB'\n"},
	{"{'limits': []}",
	    "t:1:12: limits: must be an object\n"},
	{"{'listen': {}}",
	    "t:1:12: listen: must be a list\n"},
	{"{'listen': [7]}",
	    "t:1:13: listen[0]: must be an object\n"},
	{"{'trusted_proxies': '10.0.0.0/8'}",
	    "t:1:21: trusted_proxies: must be a list\n"},
	{"{'trusted_proxies': ['10.0.0.1/8', 7, '::/0']}",
	    "t:1:22: trusted_proxies[0]: must be a network such as '10.0.0.0/8'\n"
	    "t:1:36: trusted_proxies[1]: must be a network such as '10.0.0.0/8'\n"},
	{"{'retry': '5s'}",
	    "t:1:11: retry: must be a list\n"},
	{"{'retry': ['5s', 5]}",
	    "t:1:18: retry[1]: must be a time such as '500ms', '30s', '5m', '2h' or '7d'\n"},
	{"{'log': {'level': 'trace'}}",
	    "t:1:19: log.level: must be 'debug' or 'info' or 'warning' or 'error'\n"},
	{"{'log': {'level': 1}}",
	    "t:1:19: log.level: must be 'debug' or 'info' or 'warning' or 'error'\n"},
	{"{'log': {'format': null}}",
	    "t:1:20: log.format: must be 'auto' or 'json' or 'text'\n"},
	{SERVICE("'enabled': 1"),
	    "t:1:40: services[0].enabled: must be true or false\n"},
	{SERVICE("'unique_id': 'x'"),
	    "t:1:42: services[0].unique_id: must be a UUID\n"},
	{SERVICE("'team': 7"),
	    "t:1:37: services[0].team: must be a UUID\n"},
	{SERVICE("'creation_date': 'yesterday'"),
	    "t:1:46: services[0].creation_date: must be a date such as '2026-11-21T09:00:00Z'\n"},
	{SERVICE("'creation_date': '1969-12-31T23:59:59Z'"),
	    "t:1:46: services[0].creation_date: must be later than 1970\n"},
	{SERVICE("'creation_date': 0"),
	    "t:1:46: services[0].creation_date: must be a date such as '2026-11-21T09:00:00Z'\n"},
	{INTEGRATION("'default_alert_type': 'fatal'"),
	    "t:1:94: services[0].integrations[0].default_alert_type: must be 'critical' or 'error' or 'warning' or 'info' or 'acknowledged' or 'resolved'\n"},
	{INTEGRATION("'create_incidents_for': 'info'"),
	    "t:1:96: services[0].integrations[0].create_incidents_for: must be 'none' or 'critical' or 'error' or 'warning'\n"},
	{INTEGRATION("'default_urgency': 'medium'"),
	    "t:1:91: services[0].integrations[0].default_urgency: must be 'high' or 'low'\n"},
	{INTEGRATION("'type': 'zabbix'"),
	    "t:1:80: services[0].integrations[0].type: must be 'generic' or 'pagertree'\n"},
	{WEBHOOK("'headers': []"),
	    "t:1:87: services[0].webhooks[0].headers: must be an object\n"},
	{WEBHOOK("'events': 'triggered'"),
	    "t:1:86: services[0].webhooks[0].events: must be a list\n"},
	{WEBHOOK("'events': ['opened']"),
	    "t:1:87: services[0].webhooks[0].events[0]: must be 'triggered' or 'acknowledged' or 'resolved'\n"},
	{WEBHOOK("'auth': 'hmac'"),
	    "t:1:84: services[0].webhooks[0].auth: must be an object\n"},
	{WEBHOOK("'auth': {'type': 'digest'}"),
	    "t:1:93: services[0].webhooks[0].auth.type: must be 'none' or 'basic' or 'hmac' or"
	    " 'standard-webhooks'\n"},
	{LISTEN("{'address': '127.0.0.1:1', 'serve': ['web']}"),
	    "t:1:106: listen[0].serve[0]: must be 'ingest' or 'status' or 'api' or 'ops'\n"},
	{TOKEN("1"),
	    "t:1:36: tokens[0].token: must be a text, {'file': 'path'} or {'env': 'NAME'}\n"},
};

static const struct row ranges[] = {
	{"{'node': 256}",
	    "t:1:10: node: must be between 0 and 255\n"},
	{"{'node': -1}",
	    "t:1:10: node: must be between 0 and 255\n"},
	{"{'node': 99999999999999999999}",
	    "t:1:10: node: must be between 0 and 255\n"},
	{"{'drain': '11m'}",
	    "t:1:11: drain: must be between 0ms and 10m\n"},
	{"{'limits': {'body': '1023', 'header': '65KiB', 'depth': 1}}",
	    "t:1:21: limits.body: must be between 1KiB and 16MiB\n"
	    "t:1:39: limits.header: must be between 1KiB and 64KiB\n"
	    "t:1:57: limits.depth: must be between 2 and 512\n"},
	{"{'limits': {'body': '17MiB', 'header': 1023, 'depth': 513}}",
	    "t:1:21: limits.body: must be between 1KiB and 16MiB\n"
	    "t:1:40: limits.header: must be between 1KiB and 64KiB\n"
	    "t:1:55: limits.depth: must be between 2 and 512\n"},
	{"{'limits': {'split': 0, 'connections': 0, 'header_time': '99ms'}}",
	    "t:1:22: limits.split: must be between 1 and 10000\n"
	    "t:1:40: limits.connections: must be between 1 and 1000000\n"
	    "t:1:58: limits.header_time: must be between 100ms and 1h\n"},
	{"{'limits': {'split': 10001, 'connections': 1000001, 'body_time': '61m'}}",
	    "t:1:22: limits.split: must be between 1 and 10000\n"
	    "t:1:44: limits.connections: must be between 1 and 1000000\n"
	    "t:1:66: limits.body_time: must be between 100ms and 1h\n"},
	{"{'limits': {'store': '15MiB', 'idle_time': '0s'}}",
	    "t:1:22: limits.store: must be between 16MiB and 1TiB\n"
	    "t:1:44: limits.idle_time: must be between 100ms and 1h\n"},
	{"{'limits': {'store': '2TiB'}}",
	    "t:1:22: limits.store: must be between 16MiB and 1TiB\n"},
	{"{'retention': {'trace': '59m', 'incident': '59m'}}",
	    "t:1:25: retention.trace: must be between 1h and 30d\n"
	    "t:1:44: retention.incident: must be between 1h and 3660d\n"},
	{"{'retention': {'trace': '31d'}}",
	    "t:1:25: retention.trace: must be between 1h and 30d\n"},
	{"{'retry': []}",
	    "t:1:11: retry: must not be empty\n"},
	{"{'retry': ['99ms', '25h', 0]}",
	    "t:1:12: retry[0]: must be between 100ms and 1d\n"
	    "t:1:20: retry[1]: must be between 100ms and 1d\n"
	    "t:1:27: retry[2]: must be between 100ms and 1d\n"},
	{"{'listen': []}",
	    "t:1:12: listen: must have 1 to 64 elements\n"},
	{"{'data': ''}",
	    "t:1:10: data: must not be empty\n"},
	{"{'data': 'a\\u0000b'}",
	    "t:1:10: data: must not have control characters\n"},
	{"{'account': 'a b'}",
	    "t:1:13: account: must have letters, digits, - and _ only\n"},
	{"{'account': '0123456789012345678901234567890123'}",
	    "t:1:13: account: must have at most 32 bytes\n"},
	{"{'public_url': 'gateway'}",
	    "t:1:16: public_url: must begin with http:// or https://\n"},
	{"{'public_url': 'http://a/?b'}",
	    "t:1:16: public_url: must not have a query\n"},
	{SERVICE("'collation': 2, 'collation_time': -1"),
	    "t:1:42: services[0].collation: must be between 0 and 1\n"
	    "t:1:63: services[0].collation_time: must be between 0 and 525600\n"},
	{SERVICE("'auto_resolve_timeout': -1, 'acknowledgement_timeout': 315360001"),
	    "t:1:53: services[0].auto_resolve_timeout: must be between 0 and 315360000\n"
	    "t:1:84: services[0].acknowledgement_timeout: must be between 0 and 315360000\n"},
	{WEBHOOK("'deadline': '99ms'"),
	    "t:1:88: services[0].webhooks[0].deadline: must be between 100ms and 3s\n"},
	{WEBHOOK("'deadline': '3001ms'"),
	    "t:1:88: services[0].webhooks[0].deadline: must be between 100ms and 3s\n"},
	{WEBHOOK("'max_in_flight': 0, 'max_waiting': 0"),
	    "t:1:93: services[0].webhooks[0].max_in_flight: must be between 1 and 10000\n"
	    "t:1:111: services[0].webhooks[0].max_waiting: must be between 1 and 100000000\n"},
	{WEBHOOK("'events': []"),
	    "t:1:86: services[0].webhooks[0].events: must not be empty\n"},
	{WEBHOOK("'auth': []"),
	    "t:1:84: services[0].webhooks[0].auth: must not be empty\n"},
	{WEBHOOK("'retry': []"),
	    "t:1:85: services[0].webhooks[0].retry: must not be empty\n"},
	{TOKEN("'012345678901234'"),
	    "t:1:36: tokens[0].token: must have at least 16 characters\n"},
	{TOKEN("'0123456789 012345'"),
	    "t:1:36: tokens[0].token: must have visible ASCII characters only\n"},
	{"{'users': [{'username': ''}]}",
	    "t:1:25: users[0].username: must not be empty\n"},
	{"{'users': [{'username': 'a\\u0007'}]}",
	    "t:1:25: users[0].username: must not have control characters\n"},
	{"{'services': [{'name': 'S', 'integrations': [{'name': 'I', 'key': 'a/b'}]}]}",
	    "t:1:67: services[0].integrations[0].key: must have letters, digits, - and _ only\n"},
	{"{'services': [{'name': 'S', 'webhooks': [{'name': 'W', 'url': 'http://u:secret@a/'}]}]}",
	    "t:1:63: services[0].webhooks[0].url: has a user in it; put credentials into auth\n"},
};

static const struct row unique[] = {
	{"{'tokens': [{'name': 'a', 'token': '0123456789abcdef'},\n {'name': 'a', 'token': '0123456789abcdef'}]}",
	    "t:2:11: tokens[1].name: is already used on line 1\n"
	    "t:2:25: tokens[1].token: is already used on line 1\n"},
	{"{'users': [{'username': 'a'}, {'username': 'b'}, {'username': 'a'}, {'username': 'a'}]}",
	    "t:1:63: users[2].username: is already used on line 1\n"
	    "t:1:82: users[3].username: is already used on line 1\n"},
	{"{'services': [{'name': 'a'}, {'name': 'a'}]}",
	    "t:1:39: services[1].name: is already used on line 1\n"},
	{SERVICE("'integrations': [{'name': 'a', 'key': '1'}, {'name': 'a', 'key': '2'}]"),
	    "t:1:82: services[0].integrations[1].name: is already used on line 1\n"},
	{SERVICE("'integrations': [{'name': 'a', 'key': '1'}, {'name': 'b', 'key': '1'}]"),
	    "t:1:94: services[0].integrations[1].key: is already used on line 1\n"},
	{"{'services': [{'name': 'a', 'integrations': [{'name': 'i', 'key': '1'}]},\n {'name': 'b', 'integrations': [{'name': 'i', 'key': '1'}]}]}",
	    "t:2:54: services[1].integrations[0].key: is already used on line 1\n"},
	{"{'services': [{'name': 'a', 'webhooks': [{'name': 'w', 'url': 'http://a/'}]},\n {'name': 'b', 'webhooks': [{'name': 'w', 'url': 'http://a/'}]}]}",
	    "t:2:38: services[1].webhooks[0].name: is already used on line 1\n"},
	{"{'services': [{'name': 'a', 'integrations': [{'name': 'i', 'key': '1'}]}, {'name': 'a'}]}",
	    "t:1:84: services[1].name: is already used on line 1\n"},
	{LISTEN("{'address': ':80'}, {'address': ':80', 'serve': ['status']}"),
	    "t:1:101: listen[1].address: is already used on line 1\n"},
};

static const struct row together[] = {
	{SERVICE("'assigned_to': 'ada'"),
	    "t:1:44: services[0].assigned_to: is not the username of one of users\n"},
	{SERVICE("'collation': 1"),
	    "t:1:42: services[0].collation: needs a collation_time\n"},
	{"{'listen': [{'address': '0.0.0.0:80'}]}",
	    "t:1:13: listen[0]: serves api or ops beyond this machine, which needs tokens\n"},
	{"{'listen': [{'address': ':80', 'serve': ['status', 'api']}]}",
	    "t:1:13: listen[0]: serves api or ops beyond this machine, which needs tokens\n"},
	{"{'listen': [{'address': '[::]:80', 'serve': ['ops']}]}",
	    "t:1:13: listen[0]: serves api or ops beyond this machine, which needs tokens\n"},
	{WINDOW("'start': '2026-01-02T00:00:00Z', 'end': '2026-01-02T00:00:00Z'"),
	    "t:1:86: services[0].maintenance[0].end: must be later than start\n"},
	{WINDOW("'start': '2026-01-02T00:00:00Z', 'end': '2026-01-03T00:00:00Z', 'repeat': '1d'"),
	    "t:1:120: services[0].maintenance[0].repeat: must be longer than the window\n"},
	{WINDOW("'start': '2026-01-02T00:00:00Z', 'end': '2026-01-03T00:00:00Z', 'repeat_until': '2027-01-01T00:00:00Z'"),
	    "t:1:126: services[0].maintenance[0].repeat_until: needs a repeat\n"},
	{WINDOW("'start': '2026-01-02T00:00:00Z', 'end': '2026-01-03T00:00:00Z', 'repeat': '2d', 'repeat_until': '2026-01-01T00:00:00Z'"),
	    "t:1:142: services[0].maintenance[0].repeat_until: must not be earlier than start\n"},
	{INTEGRATION("'token': 'abc'"),
	    "t:1:72: services[0].integrations[0].token: is for integrations of type pagertree only\n"},
	{INTEGRATION("'capture_additional_data': true"),
	    "t:1:72: services[0].integrations[0].capture_additional_data: is for integrations of type pagertree only\n"},
	{INTEGRATION("'type': 'pagertree', 'default_alert_type': 'info'"),
	    "t:1:93: services[0].integrations[0].default_alert_type: is for integrations of type generic only\n"},
	{INTEGRATION("'rate_limit': {'burst': 5}"),
	    "t:1:96: services[0].integrations[0].rate_limit.burst: needs a per_minute\n"},
	{WEBHOOK("'auth': {'type': 'none', 'key': 'k'}"),
	    "t:1:101: services[0].webhooks[0].auth.key: is not used by type 'none'\n"},
	{WEBHOOK("'auth': {'type': 'hmac', 'key': 'k', 'username': 'u'}"),
	    "t:1:113: services[0].webhooks[0].auth.username: is not used by type 'hmac'\n"},
	{WEBHOOK("'auth': {'type': 'basic', 'username': 'a:b', 'password': 'p'}"),
	    "t:1:114: services[0].webhooks[0].auth.username: must not have a colon\n"},
	{WEBHOOK("'auth': [{'type': 'hmac', 'key': 'k'}, {'type': 'hmac', 'key': 'l'}]"),
	    "t:1:124: services[0].webhooks[0].auth[1].type: is given twice\n"},
	{WEBHOOK("'serve': []"),
	    "t:1:76: services[0].webhooks[0].serve: is not an option\n"},
};

static const struct row headers[] = {
	{WEBHOOK("'headers': {'Host': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.Host: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'content-length': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.content-length: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'Transfer-Encoding': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.Transfer-Encoding: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'Connection': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.Connection: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'Content-Type': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.Content-Type: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'User-Agent': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.User-Agent: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'Webhook-Id': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.Webhook-Id: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'x-attempt': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.x-attempt: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'X-Signature': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.X-Signature: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'webhook-timestamp': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.webhook-timestamp: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'webhook-signature': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.webhook-signature: is set by the gateway itself\n"},
	{WEBHOOK("'headers': {'a b': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers['a b']: is not a header's name\n"},
	{WEBHOOK("'headers': {'': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers['']: is not a header's name\n"},
	{WEBHOOK("'headers': {'a:b': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers['a:b']: is not a header's name\n"},
	{WEBHOOK("'headers': {'\xc3\xa4': 'x'}"),
	    "t:1:88: services[0].webhooks[0].headers.\xc3\xa4: is not a header's name\n"},
	{WEBHOOK("'headers': {'A': ''}"),
	    "t:1:93: services[0].webhooks[0].headers.A: must not be empty\n"},
	{WEBHOOK("'headers': {'A': ' x'}"),
	    "t:1:93: services[0].webhooks[0].headers.A: must not begin or end with a space\n"},
	{WEBHOOK("'headers': {'A': 'x '}"),
	    "t:1:93: services[0].webhooks[0].headers.A: must not begin or end with a space\n"},
	{WEBHOOK("'headers': {'A': 'x\\r\\nB: y'}"),
	    "t:1:93: services[0].webhooks[0].headers.A: must have visible ASCII characters and spaces only\n"},
	{WEBHOOK("'headers': {'A': '\xc3\xa4'}"),
	    "t:1:93: services[0].webhooks[0].headers.A: must have visible ASCII characters and spaces only\n"},
	{WEBHOOK("'headers': {'A': 'x', 'a': 'y'}"),
	    "t:1:98: services[0].webhooks[0].headers.a: is given twice\n"},
	{WEBHOOK("'headers': {'A': 7}"),
	    "t:1:93: services[0].webhooks[0].headers.A: must be a text, {'file': 'path'} or {'env': 'NAME'}\n"},
	{WEBHOOK("'auth': {'type': 'basic', 'username': 'u', 'password': 'p'}, 'headers': {'authorization': 'x'}"),
	    "t:1:149: services[0].webhooks[0].headers.authorization: is set by auth of type 'basic'\n"},
};

/* What compilers complain of has its place and path (test/unit/proto has all their sentences). */
static const struct row compiled[] = {
	{INTEGRATION("'mapping': [{}, {'set': {'message': '{{ a'}}], 'split': 'a..b'"),
	    "t:1:84: services[0].integrations[0].mapping[0].set: is missing\n"
	    "t:1:108: services[0].integrations[0].mapping[1].set.message: has {{ without }}\n"
	    "t:1:128: services[0].integrations[0].split: has a step without a name\n"},
	{INTEGRATION("'mapping': [{'set': {'summary': 's'}}]"),
	    "t:1:83: services[0].integrations[0].mapping: never sets message\n"},
	{INTEGRATION("'mapping': {}, 'split': 7, 'rules': 7"),
	    "t:1:83: services[0].integrations[0].mapping: must be a list\n"
	    "t:1:96: services[0].integrations[0].split: must be a text\n"
	    "t:1:108: services[0].integrations[0].rules: must be a list\n"},
	{INTEGRATION("'split': ''"),
	    "t:1:81: services[0].integrations[0].split: must not be empty\n"},
	{INTEGRATION("'rules': [{'when': {'any': [{'field': 'mesage', 'op': 'matches', 'value': '('}]}, 'then':"
		     " [{'assign_to': 'eve', 'page': 1}]}]"),
	    "t:1:110: services[0].integrations[0].rules[0].when.any[0].field: has a path that is not in an alert\n"
	    "t:1:146: services[0].integrations[0].rules[0].when.any[0].value: has ( without )\n"
	    "t:1:177: services[0].integrations[0].rules[0].then[0].assign_to: is not the username of one of users\n"
	    "t:1:184: services[0].integrations[0].rules[0].then[0].page: is not an action\n"},
	{INTEGRATION("'type': 'pagertree', 'split': 'a', 'mapping': [{}], 'rules': [{'stop': 7}]"),
	    "t:1:93: services[0].integrations[0].split: is for integrations of type generic only\n"
	    "t:1:107: services[0].integrations[0].mapping: is for integrations of type generic only\n"
	    "t:1:143: services[0].integrations[0].rules[0].stop: must be true or false\n"},
};

#define LISTEN_FORMS "must be an address and a port, such as 127.0.0.1:8080, [::1]:8080 or :8080;" \
	" unix: and a path; or systemd"
#define TEN "aaaaaaaaaa"

static const struct row listeners[] = {
	{LISTEN("{'address': 'unix:'}"),
	    "t:1:81: listen[0].address: must have a path behind unix:\n"},
	{LISTEN("{'address': 'unix:/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456'}"),
	    "t:1:81: listen[0].address: must have a path of at most 107 bytes\n"},
	{LISTEN("{'address': 'unix:/tmp/\\u0007'}"),
	    "t:1:81: listen[0].address: must not have control characters\n"},
	{LISTEN("{'address': ':0', 'tls': {'certificate': 'c'}}"),
	    "t:1:94: listen[0].tls.key: is missing\n"},
	{LISTEN("{'address': ':0', 'tls': {'certificate': null, 'key': 'k'}}"),
	    "t:1:94: listen[0].tls.certificate: is missing\n"},
	{LISTEN("{'address': ':0', 'proxy_protocol': 'v2'}"),
	    "t:1:105: listen[0].proxy_protocol: must be true or false\n"},
	{LISTEN("{'address': 'systemd '}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': 'unix:/a'}, {'address': 'unix:/a'}"),
	    "t:1:105: listen[1].address: is already used on line 1\n"},
	{LISTEN("{'address': '8080'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '127.0.0.1'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '127.0.0.1:'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '127.0.0.1:65536'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '127.0.0.1:-1'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '127.0.0.1:http'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': 'localhost:80'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '::1:80'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '[::1]'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '[]:80'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '[127.0.0.1]:80'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': '127.1:80'}"),
	    "t:1:81: listen[0].address: " LISTEN_FORMS "\n"},
	{LISTEN("{'address': ''}"),
	    "t:1:81: listen[0].address: must not be empty\n"},
};
static void
check(const struct row *rows, size_t n)
{
	struct lines lines;

	for (size_t i = 0; i < n; i++) {
		struct conf *conf = parse(rows[i].text, &lines);

		for (char *p = lines.text; *p != '\0'; p++)
			if (*p == '"')
				*p = '\'';
		if (strcmp(lines.text, rows[i].lines) != 0)
			fail_msg("%s\ngot:    %swanted: %s", rows[i].text, lines.text, rows[i].lines);
		assert_null(conf);
	}
}

#define TEST_OF(rows) \
	static void test_fault_##rows(void **state) \
	{ \
		(void)state; \
		check(rows, COUNT_OF(rows)); \
	}

TEST_OF(roots)
TEST_OF(keys)
TEST_OF(missing)
TEST_OF(types)
TEST_OF(ranges)
TEST_OF(unique)
TEST_OF(together)
TEST_OF(headers)
TEST_OF(compiled)
TEST_OF(listeners)

/* All of them, in the order of the file, whatever part of the checks finds them. */
static void
test_fault_order(void **state)
{
	static const char text[] = "// three faults\n"
				   "{\n"
				   "\t'services': [\n"
				   "\t\t{'name': 'A', 'assigned_to': 'nobody'},\n"
				   "\t\t{'name': 'B', /* twice */ 'enabled': 'yes'}\n"
				   "\t],\n"
				   "\t'retrys': []\n"
				   "}\n";
	struct lines lines;

	(void)state;
	assert_null(parse_as("etc/tocsin.json", text, &lines));
	assert_string_equal(lines.text,
	    "etc/tocsin.json:4:32: services[0].assigned_to: is not the username of one of users\n"
	    "etc/tocsin.json:5:40: services[1].enabled: must be true or false\n"
	    "etc/tocsin.json:7:2: retrys: is not an option; did you mean \"retry\"?\n");
}

/* Characters, not bytes, and a byte order mark is none. */
static void
test_fault_column(void **state)
{
	struct lines lines;

	(void)state;
	assert_null(parse("\xef\xbb\xbf{'data': '\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\xa8', 'x': 1}", &lines));
	assert_string_equal(lines.text, "t:1:17: x: is not an option\n");
	assert_null(parse("{\r\n'x': 1}", &lines));
	assert_string_equal(lines.text, "t:2:1: x: is not an option\n");
}

/* The wording belongs to the JSON reader; the place is ours. */
static void
test_fault_not_json(void **state)
{
	static const struct row rows[] = {{"", "t:1:1: "}, {"{\n  'data': x}", "t:2:11: "},
	    {"{'data': 'a'}}", "t:1:14: "}, {"{'data': 'a',\n}", "t:2:1: "}, {"// only", "t:1:"}};
	struct lines lines;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_null(parse(rows[i].text, &lines));
		if (strncmp(lines.text, rows[i].lines, strlen(rows[i].lines)) != 0)
			fail_msg("%s: got %s", rows[i].text, lines.text);
		assert_ptr_equal(strchr(lines.text, '\n'), lines.text + lines.n - 1);
	}
}

static void
count_line(void *arg, const char *line)
{
	size_t *n = arg;

	++*n;
	if (*n == FAULT_MAX + 1)
		assert_string_equal(line, "t: 500 more are not shown");
	else
		assert_int_equal(strncmp(line, "t:1:", 4), 0);
}

/* A file of nothing but faults is told of up to a limit. */
static void
test_fault_limit(void **state)
{
	struct buf b;
	size_t n = 0;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_puts(&b, "{");
	for (int i = 0; i < FAULT_MAX + 500; i++)
		buf_printf(&b, "%s\"k%d\": 1", i == 0 ? "" : ", ", i);
	buf_puts(&b, "}");
	assert_false(b.failed);
	assert_null(conf_parse("t", buf_slice(&b), count_line, &n));
	assert_int_equal(n, FAULT_MAX + 1);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_roots),
		cmocka_unit_test(test_fault_keys),
		cmocka_unit_test(test_fault_missing),
		cmocka_unit_test(test_fault_types),
		cmocka_unit_test(test_fault_ranges),
		cmocka_unit_test(test_fault_unique),
		cmocka_unit_test(test_fault_together),
		cmocka_unit_test(test_fault_headers),
		cmocka_unit_test(test_fault_compiled),
		cmocka_unit_test(test_fault_listeners),
		cmocka_unit_test(test_fault_order),
		cmocka_unit_test(test_fault_column),
		cmocka_unit_test(test_fault_not_json),
		cmocka_unit_test(test_fault_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
