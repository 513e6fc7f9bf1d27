.DEFAULT_GOAL := help
# C turned into Go: SQLite, with the C library and the allocator below. These packages are compiled without the race
# detector and without the coverage of fuzzing, which would take half of all tests' CPU time. Nothing is lost: their memory
# is no Go variable of ours, and SQLite's authors test its locks. The driver above, modernc.org/sqlite, is Go, and is watched
# as our own code is: a buffer handed to a query and changed meanwhile is still reported.
TRANSPILED := modernc.org/sqlite/lib modernc.org/libc/... modernc.org/memory
# The race detector needs a C compiler. It comes with checkptr, which checks conversions of unsafe.Pointer: there are none here,
# and those of the driver of SQLite are its authors' to check.
GOTEST := $(if $(shell command -v gcc || command -v clang),-race -gcflags=all=-d=checkptr=0 $(foreach package,$(TRANSPILED),'-gcflags=$(package)=-race=0 -d=checkptr=0'))

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

# make build VERSION=1.4.0 names a release; without it the program knows its commit.
LDFLAGS := -s -w -X example.com/b2b/v2/internal/buildinfo.version=$(VERSION)

run: ## start the services on SQLite, with sample data
	@[ -e bin/b2b ] || echo 'Downloading and compiling the program, which takes a minute or two the first time ...'
	@CGO_ENABLED=0 go build -o bin/b2b ./cmd/b2b && exec bin/b2b

# The race detector needs cgo. With cgo, gorm's driver compiles SQLite in C, of which nothing is called: -O0 makes that quick.
# The packages that take longest come first, so that no core waits for them at the end.
RUN ?=
PACKAGES ?= ./orders ./test/system ./test/tenants ./...
test: ## run the tests on SQLite and every MySQL and MariaDB of this machine; RUN=TestETag/MariaDB PACKAGES=./orders: one test on one engine
	CGO_ENABLED=0 CGO_CFLAGS=-O0 go run ./db/dbtest/run $(ENGINES) $(GOTEST) -timeout 30m $(if $(value RUN),-run '$(value RUN)') $(PACKAGES)

test-tidb: ## run the tests on SQLite and the TiDB of TEST_TIDB_DSN, which takes half an hour; RUN and PACKAGES as for make test
	CGO_ENABLED=0 go run ./db/dbtest/run -only TiDB -timeout 90m $(if $(value RUN),-run '$(value RUN)') $(PACKAGES)

KILLS ?= 200
chaos: ## kill services and database servers KILLS times under load, part them for 30 s, hold rows, and look for what was lost or done twice
	CGO_ENABLED=0 go run ./db/dbtest/run -v -count=1 -timeout 3h -run '^Test(Chaos|Network|HeldRow)$$' ./test/system -chaos.kills=$(KILLS) -network.partition=30s -held.rate=200

test-operate: ## run the containers on a Docker engine, with Prometheus and Jaeger; .ci/run does the same without Jaeger
	test/containers/run --jaeger

# A count, not a duration: before Go 1.27 the end of a duration may fail a target that is right (golang/go#75804).
FUZZTIME ?= 50000x
fuzz: ## run each fuzz target with FUZZTIME inputs; what breaks one lies in its testdata/fuzz then, where make test tries it again
	@built=$$(mktemp -d) && trap 'rm -rf "$$built"' EXIT && \
	grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r folder; do \
		go test -c -fuzz . $(foreach package,$(TRANSPILED),'-gcflags=$(package)=-d=libfuzzer=0') -o "$$built/fuzz" "$$folder" || exit 1; \
		cache=$$(go env GOCACHE)/fuzz/$$(go list "$$folder"); \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z]+' "$$folder"/*_test.go | cut -d ' ' -f 2 | sort); do \
			echo "func $$target of $$folder" && (cd "$$folder" && "$$built/fuzz" -test.run '^$$' -test.fuzz "^$$target$$" \
				-test.fuzztime $(FUZZTIME) -test.fuzzcachedir "$$cache") || exit 1; \
		done || exit 1; \
	done

QUICK ?=
bench: ## measure the system beside raw SQL: QUICK=1 everything once, in two minutes; ARGS=-help has the flags
	go run ./test/bench $(if $(QUICK),-quick) $(ARGS)

generate: ## make everything that is generated: documents, Go code of the contracts, schema.sql, .env.example, tables of the documentation
	go generate ./...

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...

PROGRAM ?= bin/b2b
# nomsgpack leaves MessagePack out of gin, of which nothing is called: 6 of 44 MB.
build: ## build bin/b2b
	CGO_ENABLED=0 go build -trimpath -tags nomsgpack -ldflags '$(LDFLAGS)' -o $(PROGRAM) ./cmd/b2b

# The functions of both architectures with their templates, in LAMBDA: FOLDER/arm64/orchestrator.zip beside orchestrator.yaml.
LAMBDA ?= build/lambda
lambda: ## build the AWS Lambda functions for arm64 and amd64 in build/lambda, each with its template for AWS SAM
	@for arch in arm64 amd64; do for pair in orchestrator:lambda services:lambda-services; do \
		part=$(LAMBDA)/$$arch/$${pair%:*} && mkdir -p $$part && \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -tags nomsgpack,lambda.norpc -ldflags '$(LDFLAGS)' -o $$part/bootstrap ./cmd/$${pair#*:} && \
		go tool build-lambda-zip -o $$part.zip $$part/bootstrap && \
		go run ./internal/generate/gateway -arch $$arch -version '$(VERSION)' deploy/lambda/$${pair%:*}.yaml $$part.yaml || exit 1; \
	done; done

# make deploy PART=services deploys the Customers API and the Orders API instead of the orchestrator. What is asked for the
# first time is kept in samconfig.toml, under the name of the stack; make deploy GUIDED=--guided asks again.
PART ?= orchestrator
STACK ?= $(if $(filter services,$(PART)),b2b-services,b2b)
ARCH ?= arm64
GUIDED ?= $(shell grep -qs '^\[$(STACK)\.' samconfig.toml || echo --guided)
deploy: lambda ## deploy PART (orchestrator, services) as the stack STACK by the AWS SAM CLI; the first time it asks for parameters
	@[ -e samconfig.toml ] || echo 'version = 0.1' >samconfig.toml # the file must exist
	sam deploy --template-file build/lambda/$(ARCH)/$(PART).yaml --stack-name $(STACK) --capabilities CAPABILITY_IAM \
		--config-file $(CURDIR)/samconfig.toml --config-env $(STACK) $(or $(GUIDED),--resolve-s3 --no-fail-on-empty-changeset)

info: ## show the addresses of the stack STACK
	sam list stack-outputs --stack-name $(STACK)

logs: ## follow the logs of the functions of the stack STACK; FILTER=req-12345 shows the lines with a correlation id
	sam logs --stack-name $(STACK) $(if $(FILTER),--filter '"$(FILTER)"',--tail)

undeploy: ## remove the stack STACK from AWS
	sam delete --stack-name $(STACK)

sdk: ## make the generated part of every SDK in sdk/ again, from the documents
	@for generate in sdk/*/generate; do echo $$generate; $$generate || exit 1; done

sdk-test: build ## pack every SDK in sdk/, install what was packed, and test it against bin/b2b
	@for test in sdk/*/test; do echo $$test; $$test || exit 1; done

release: ## collect in dist/ the release VERSION: documents, collection, SDKs, programs for PLATFORMS (all), checksums, SBOMs
	@.ci/release '$(VERSION)' $(PLATFORMS)

.PHONY: help run test test-tidb test-operate chaos fuzz bench generate lint build lambda deploy info logs undeploy sdk sdk-test release
