# Tocsin. `make help` lists what there is to make.

VERSION := 0.1.0

# What a fresh Debian lacks. One list; nothing else names a package.
PACKAGES := gcc libc6-dev make pkg-config libevent-dev libyajl-dev liblmdb-dev libsodium-dev libssl-dev \
	libcmocka-dev python3 python3-pytest python3-requests curl openssl ca-certificates valgrind \
	mandoc systemd
TEST_PACKAGES := prometheus prometheus-alertmanager haproxy nginx-light
LINT_PACKAGES := clang-tidy cppcheck clang-format
FUZZ_PACKAGES := clang libclang-rt-14-dev
BENCH_PACKAGES := nginx-light wrk webhook linux-perf
# Debian's security fix for HTTP and DNS parsing in libevent; older builds are refused.
LIBEVENT_FLOOR := 2.1.12-stable-8+deb12u1

SAN     ?=
BUILD   ?= build$(if $(SAN),/$(SAN))
PREFIX  ?= /usr/local
DESTDIR ?=
ROUNDS  ?= 20
STEPS   ?= 2000
POINTS  ?= 150
EVERY   ?= 1
RELOADS ?= 1000
TIME    ?= 60
PYTHON  ?= /usr/bin/python3

CC       ?= cc
OPT      ?= $(if $(SAN),-O1 -fno-omit-frame-pointer,-O2)
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wpointer-arith -Wwrite-strings -Wundef $(if $(WERROR),-Werror)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
HARDEN   := $(if $(SAN),,-fstack-protector-strong -D_FORTIFY_SOURCE=2) -fPIE
CFLAGS   ?= $(OPT) -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DTOCSIN_VERSION='"$(VERSION)"' -I. $(WARN) $(HARDEN) \
	$(SANFLAGS) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)
LIBS     := -levent_core -levent_extra -lyajl -llmdb -lsodium -lssl -lcrypto

# V=1 shows whole commands.
Q        := $(if $(V),,@)
say       = $(if $(V),,@echo "  $(1)	$@")

LAYERS   := proto store conf gateway
source    = $(wildcard $(1)/*.c)
object    = $(patsubst %.c,$(BUILD)/%.o,$(1))
UNITS    := $(patsubst test/unit/%.c,$(BUILD)/unit/%,$(wildcard test/unit/*/*.c))
TOOLS    := $(patsubst test/tool/%.c,$(BUILD)/tool/%,$(wildcard test/tool/*.c))
MANUAL   := $(patsubst conf/%,$(BUILD)/man/%,$(wildcard conf/*.[58]))
SHIMS    := $(patsubst test/shim/%.c,$(BUILD)/shim/%.so,$(wildcard test/shim/*.c))
TARGETS  := $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/*.c))
REPLAYS  := $(patsubst %,$(BUILD)/replay/%,$(TARGETS))

all: tocsin ## the program, at ./tocsin

tocsin: $(BUILD)/tocsin
	$(Q)cp $< $@

$(BUILD)/tocsin: $(BUILD)/gateway/main.o $(LAYERS:%=$(BUILD)/lib%.a)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< -L$(BUILD) -lgateway -lconf -lstore -lproto $(LIBS)

# The same objects with test/control.c, through which tests push the clocks and inject faults.
$(BUILD)/test/tocsin: $(BUILD)/test/control.o $(BUILD)/gateway/main.o $(LAYERS:%=$(BUILD)/lib%.a)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(BUILD)/test/control.o $(BUILD)/gateway/main.o \
	    -L$(BUILD) -lgateway -lconf -lstore -lproto $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

define archive
$(BUILD)/lib$(1).a: $(call object,$(filter-out gateway/main.c,$(call source,$(1))))
	@rm -f $$@
	$$(call say,AR)
	$$(Q)ar rcs $$@ $$^
endef
$(foreach layer,$(LAYERS),$(eval $(call archive,$(layer))))

# A unit test links the layer it is named after and those below.
BELOW_proto   := -lproto
BELOW_store   := -lstore -lproto
BELOW_conf    := -lconf -lproto
BELOW_gateway := -lgateway -lconf -lstore -lproto
define unit
$(BUILD)/unit/$(1)/%: test/unit/$(1)/%.c $(patsubst -l%,$(BUILD)/lib%.a,$(BELOW_$(1)))
	@mkdir -p $$(@D)
	$$(call say,LD)
	$$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $$@ $$< -L$(BUILD) $(BELOW_$(1)) $(LIBS) -lcmocka
endef
$(foreach layer,$(LAYERS),$(eval $(call unit,$(layer))))

$(BUILD)/tool/%: test/tool/%.c $(LAYERS:%=$(BUILD)/lib%.a)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -L$(BUILD) $(BELOW_gateway) $(LIBS)

# Pages of the manual: what stands in tables is put in from there.
$(BUILD)/man/%: conf/% $(BUILD)/tool/manual
	@mkdir -p $(@D)
	$(call say,MAN)
	$(Q)$(BUILD)/tool/manual < $< > $@

# Libraries that are loaded in front of the program: they see its calls, whatever it was built with.
$(BUILD)/shim/%.so: test/shim/%.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -O2 -g -fPIC -shared -o $@ $< -ldl

# Fuzz targets are libFuzzer entry points; replay/main.c runs them over files instead.
$(BUILD)/replay/%: test/fuzz/%.c test/fuzz/replay/main.c $(LAYERS:%=$(BUILD)/lib%.a)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< test/fuzz/replay/main.c -L$(BUILD) \
	    $(BELOW_gateway) $(LIBS)

build/fuzz/%: test/fuzz/%.c
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)clang -std=c11 -D_GNU_SOURCE -DTOCSIN_VERSION='"fuzz"' -I. -O1 -g \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $< \
	    $(foreach layer,proto store conf,$(call source,$(layer))) $(LIBS)

programs: $(BUILD)/tocsin $(BUILD)/test/tocsin $(UNITS) $(TOOLS) $(SHIMS) $(REPLAYS) $(MANUAL)

deps: ## installs what is missing (asks for sudo only when needed)
	@test/deps '$(LIBEVENT_FLOOR)' $(PACKAGES)

run: deps ## builds, starts the gateway and a demonstration receiver; Ctrl-C stops both
	@$(MAKE) --no-print-directory -s all
	@test/demo ./tocsin conf/tocsin.json

test: ## unit, box, campaigns in small, fuzz corpora; ends with "N passed, N failed"
	@test/deps '$(LIBEVENT_FLOOR)' $(PACKAGES) $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory programs all
	@BUILD=$(BUILD) ROUNDS=$(ROUNDS) POINTS=$(POINTS) $(PYTHON) test/run

crash: deps ## kill -9 rounds under load: make crash ROUNDS=N
	@$(MAKE) --no-print-directory programs
	@BUILD=$(BUILD) ROUNDS=$(ROUNDS) $(PYTHON) test/crash

power: deps ## power failures, and what the disk kept: make power POINTS=N
	@$(MAKE) --no-print-directory programs
	@BUILD=$(BUILD) POINTS=$(POINTS) $(PYTHON) test/power

model: deps ## random steps beside a model of what incidents do: make model STEPS=N SEED=N
	@$(MAKE) --no-print-directory programs
	@BUILD=$(BUILD) STEPS=$(STEPS) SEED=$(SEED) $(PYTHON) test/model/model

reload: deps ## reloads under load: make reload RELOADS=N
	@$(MAKE) --no-print-directory programs
	@BUILD=$(BUILD) RELOADS=$(RELOADS) $(PYTHON) -m pytest -q -s -p no:cacheprovider \
	    test/box/test_reload_load.py

abuse: deps ## a healthy client beside what strangers can do
	@$(MAKE) --no-print-directory programs
	@BUILD=$(BUILD) $(PYTHON) test/abuse

torture: ## each call that can fail, fails once: make torture EVERY=7 plays every seventh
	@test/deps '$(LIBEVENT_FLOOR)' $(PACKAGES) $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory programs
	@BUILD=$(BUILD) EVERY=$(EVERY) $(PYTHON) test/torture

mutants: ## promises broken on purpose, and whether the tests notice
	@test/deps '$(LIBEVENT_FLOOR)' $(PACKAGES) $(TEST_PACKAGES)
	@BUILD=$(BUILD) $(PYTHON) test/mutants

fuzz: ## libFuzzer over every target: make fuzz TIME=seconds
	@test/deps '$(LIBEVENT_FLOOR)' $(PACKAGES) $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory $(TARGETS:%=build/fuzz/%)
	@for t in $(TARGETS); do echo "== $$t"; mkdir -p build/corpus/$$t; \
	    build/fuzz/$$t -max_total_time=$(TIME) -timeout=10 -print_final_stats=1 \
	    $$(test -f test/fuzz/$$t.dict && echo -dict=test/fuzz/$$t.dict) \
	    build/corpus/$$t test/fuzz/$$t || exit 1; done

bench: ## beside nginx, Alertmanager and webhook: one table, into test/bench/RESULTS
	@test/deps '$(LIBEVENT_FLOOR)' $(PACKAGES) $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory programs all
	@BUILD=$(BUILD) $(PYTHON) test/bench/bench $(SCENARIOS)

bench-check: deps ## the instructions of an alert against the recorded figure, 3 % either way
	@$(MAKE) --no-print-directory programs all
	@BUILD=$(BUILD) $(PYTHON) test/bench/replay

cover: ## the lines that the suite runs; at least 90 % but for what does input and output
	@test/deps '$(LIBEVENT_FLOOR)' $(PACKAGES) $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory BUILD=build/cover OPT='-O1 --coverage' LDFLAGS=--coverage programs
	@find build/cover -name '*.gcda' -delete
	@BUILD=build/cover ROUNDS=5 $(PYTHON) test/run && test/cover build/cover

lint: ## include arrows, banned calls, clang-tidy, gcc -fanalyzer, cppcheck
	@test/deps '$(LIBEVENT_FLOOR)' $(PACKAGES) $(LINT_PACKAGES)
	@test/lint

# Where it goes, and what: one line each, MODE FROM TO.
bindir    = $(PREFIX)/bin
mandir    = $(PREFIX)/share/man
docdir    = $(PREFIX)/share/doc/tocsin
unitdir   = $(PREFIX)/lib/systemd/system
DOCUMENTS = README CHANGES conf/tocsin.json $(wildcard conf/*.cfg conf/nginx.conf conf/*.rules conf/*.yml conf/dashboard.json)
define FILES
0755 tocsin $(bindir)/tocsin
0644 $(BUILD)/man/tocsin.8 $(mandir)/man8/tocsin.8
0644 $(BUILD)/man/tocsin.json.5 $(mandir)/man5/tocsin.json.5
0644 $(BUILD)/tocsin.service $(unitdir)/tocsin.service
0644 conf/tocsin.socket $(unitdir)/tocsin.socket
0644 conf/tocsin.sysusers $(PREFIX)/lib/sysusers.d/tocsin.conf
0644 conf/tocsin.bash $(PREFIX)/share/bash-completion/completions/tocsin
$(foreach file,$(DOCUMENTS),0644 $(file) $(docdir)/$(notdir $(file))
)
$(foreach file,$(wildcard conf/recipes/*),0644 $(file) $(docdir)/recipes/$(notdir $(file))
)
endef
export FILES

$(BUILD)/tocsin.service: conf/tocsin.service FORCE
	@sed 's|/usr/bin/tocsin|$(bindir)/tocsin|' $< > $@

FORCE:

install: all $(MANUAL) $(BUILD)/tocsin.service ## program, manual, units, completion: into DESTDIR and PREFIX
	@echo "$$FILES" | while read -r mode from to; do test -z "$$to" || \
	    { echo "  INSTALL	$(DESTDIR)$$to" && install -D -m $$mode $$from "$(DESTDIR)$$to"; } || exit 1; done

uninstall: ## takes what `make install` put there away again; the state and /etc/tocsin stay
	@echo "$$FILES" | while read -r mode from to; do test -z "$$to" || rm -f "$(DESTDIR)$$to"; done
	@rmdir $(DESTDIR)$(docdir)/recipes $(DESTDIR)$(docdir) 2>/dev/null || true

clean: ## what was built
	rm -rf build tocsin

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

.PHONY: all programs deps run test crash power model reload abuse torture mutants cover fuzz bench bench-check lint install uninstall clean help FORCE
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
