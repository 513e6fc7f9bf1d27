package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// inAFile means SQLite, in place of the name of a database on the server.
const inAFile = ""

// withDatabase calls fn with a new database: on SQLite for the name inAFile, else on the server. If the name
// is not inAFile and no server is installed, withDatabase does nothing. If the parameter filled is true, the
// database has rows.
func (b *bench) withDatabase(ctx context.Context, name string, filled bool, fn func(d *database) error) (err error) {
	var d *database
	switch {
	case name == inAFile:
		d, err = newFile(ctx, b.dir)
	case b.server == nil:
		return nil
	default:
		d, err = newOnServer(ctx, b.server, b.engine, name, b.relaxed)
	}
	if err != nil {
		return err
	}
	defer d.drop()
	if filled {
		if err := d.fill(ctx, someCustomers, someProducts, someOrders); err != nil {
			return err
		}
	}
	return fn(d)
}

// measure measures operations in a new database with this name. The contenders are raw SQL and b2b and, if
// withPeers is true, the peers.
func (b *bench) measure(ctx context.Context, name string, withPeers bool, all ...operation) error {
	return b.withDatabase(ctx, name, true, func(d *database) error {
		return b.operations(ctx, d, withPeers, all)
	})
}

func (b *bench) operations(ctx context.Context, d *database, withPeers bool, all []operation) error {
	p, at, err := b.b2b(ctx, d.config)
	if err != nil {
		return err
	}
	defer p.stop()
	s := b.section(d.engine, measured...)
	all = slices.DeleteFunc(slices.Clone(all), func(o operation) bool { return !b.only.MatchString(o.name) })
	var others []contender
	if withPeers && slices.ContainsFunc(all, func(o operation) bool { return o.peers }) {
		for _, p := range peers {
			process, c, err := p.start(ctx, b, d.config)
			if err != nil {
				return err
			}
			if process == nil {
				log.Printf("%s is left out: %s is not installed", p.name, p.needs)
				continue
			}
			defer process.stop()
			others = append(others, c)
		}
	}
	for _, o := range all {
		contenders := []contender{d.contender(), b.instances("b2b", []addresses{at}, p)}
		if o.peers {
			contenders = append(contenders, others...)
		}
		if err := b.compare(ctx, s, d, o, contenders); err != nil {
			return err
		}
	}
	return nil
}

// compare measures an operation, for each number of clients, and adds the rows to the section. Each rate is
// compared with the rate of the first contender.
func (b *bench) compare(ctx context.Context, s *section, d *database, o operation, contenders []contender) error {
	for _, clients := range o.clients {
		if !slices.Contains(b.clients, clients) {
			continue
		}
		got, err := b.inTurn(ctx, d, o, clients, contenders)
		if err != nil {
			return err
		}
		for i, c := range contenders {
			s.measured(o.name, clients, c.name, fmt.Sprintf("%.2f", got[i].rate/got[0].rate), got[i])
		}
	}
	return nil
}

// oneWay is the delay of the network between an instance and a distant database, in each direction.
const oneWay = 2 * time.Millisecond

// manyInstances measures 1, 2 and 4 instances of b2b on a database behind a network with the given delay.
func (b *bench) manyInstances(ctx context.Context, name string, delay time.Duration) error {
	return b.withDatabase(ctx, name, false, func(d *database) error {
		if err := d.fill(ctx, someCustomers, manyProducts, someOrders); err != nil {
			return err
		}
		config, title := d.config, d.engine+": instances"
		if delay > 0 {
			title += fmt.Sprintf(", %v away from the database", delay)
			p, err := far(net.JoinHostPort(config.Host, strconv.Itoa(config.Port)), delay)
			if err != nil {
				return err
			}
			defer p.Stop()
			address := netip.MustParseAddrPort(p.Listen)
			config.Host, config.Port = address.Addr().String(), int(address.Port())
		}
		var contenders []contender
		var running []*process
		var at []addresses
		for _, n := range []int{1, 2, 4} {
			for len(running) < n {
				p, where, err := b.b2b(ctx, config)
				if err != nil {
					return err
				}
				defer p.stop()
				running, at = append(running, p), append(at, where)
			}
			contenders = append(contenders, b.instances(fmt.Sprint(n, " b2b"), slices.Clone(at), running...))
		}
		s := b.section(title, measured...)
		for _, o := range []operation{spread, createWithKey, hotProduct} {
			if !b.only.MatchString(o.name) {
				continue
			}
			if err := b.compare(ctx, s, d, o, contenders); err != nil {
				return err
			}
		}
		return nil
	})
}

// far runs a proxy in front of the address. The proxy passes each byte on after the delay, in both
// directions.
func far(address string, delay time.Duration) (*toxiproxy.Proxy, error) {
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(proxies, "far", "127.0.0.1:0", address)
	if err := p.Start(); err != nil {
		return nil, err
	}
	for _, stream := range []string{"upstream", "downstream"} {
		const latency = `{"type":"latency","name":%[1]q,"stream":%[1]q,"attributes":{"latency":%[2]d}}`
		toxic := strings.NewReader(fmt.Sprintf(latency, stream, delay.Milliseconds()))
		if _, err := p.Toxics.AddToxicJson(toxic); err != nil {
			p.Stop()
			return nil, err
		}
	}
	return p, nil
}

// inTurn measures contenders one after the other, in rounds, and returns the medians. A short first round
// does not count.
func (b *bench) inTurn(
	ctx context.Context, d *database, o operation, clients int, contenders []contender,
) ([]sample, error) {
	rounds, medians := make([][]sample, len(contenders)), make([]sample, len(contenders))
	for round := range b.rounds + 1 {
		for i, c := range contenders {
			l := load{clients: clients, duration: b.duration, first: b.calls, limit: 1 << 40}
			if o.held != nil {
				l.duration = max(l.duration, leastHeld)
			}
			if round == 0 {
				l.duration /= 5
			}
			if o.usesUp {
				var err error
				l.limit = int64(clients) + int64(fastest*l.duration.Seconds())
				if l.first, err = d.supply(ctx, l.limit); err != nil {
					return nil, err
				}
			}
			var s sample
			var err error
			if o.held != nil {
				s, err = l.besideHeld(ctx, c, o, d)
			} else {
				s, err = l.run(ctx, c, o, d.server)
			}
			if err != nil {
				return nil, err
			}
			// At the end of the load, a client may have taken the next number without making its call.
			b.calls += s.calls + int64(clients)
			if round > 0 {
				rounds[i] = append(rounds[i], s)
			}
		}
	}
	for i := range contenders {
		medians[i] = median(rounds[i])
	}
	return medians, nil
}

// leastHeld is the shortest time for which a session holds a row, even in quick runs. In a shorter time, the
// orders that wait for the row would hardly affect the other orders.
const leastHeld = 2 * time.Second

// fastest is the number of orders per second that are prepared for an operation with usesUp. A contender with
// a higher rate runs out of orders, and so is measured for a shorter time.
const fastest = 5000

// lists measures the lists at each size, in a new database with this name, and compares each p99 with the p99
// at the first size.
func (b *bench) lists(ctx context.Context, name string) error {
	var s *section
	smallest := map[string]time.Duration{}
	for _, size := range b.sizes {
		err := b.withDatabase(ctx, name, false, func(d *database) error {
			if s == nil {
				s = b.section(d.engine+": lists; compared are their p99", measured...)
			}
			if err := d.fill(ctx, int64(size), int64(size), int64(size)); err != nil {
				return err
			}
			p, at, err := b.b2b(ctx, d.config)
			if err != nil {
				return err
			}
			defer p.stop()
			if err := indexed(ctx, d.pool); err != nil {
				return err
			}
			for _, o := range lists(int64(size)) {
				if !b.only.MatchString(o.name) {
					continue
				}
				got, err := b.inTurn(ctx, d, o, o.clients[0], []contender{b.instances("b2b", []addresses{at}, p)})
				if err != nil {
					return err
				}
				if smallest[o.name] == 0 {
					smallest[o.name] = got[0].p99
				}
				s.measured(
					o.name, o.clients[0], fmt.Sprintf("%d rows", size),
					fmt.Sprintf("× %.1f", got[0].p99.Seconds()/smallest[o.name].Seconds()), got[0],
				)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// processes measures the start of b2b on a migrated database, and the memory of b2b before the first call.
func (b *bench) processes(ctx context.Context) error {
	s := b.section("Start and idle memory of all services", "database", "start to first answer", "idle memory")
	for _, name := range []string{"start", inAFile} {
		err := b.withDatabase(ctx, name, true, func(d *database) error {
			first, _, err := b.b2b(ctx, d.config)
			if err != nil {
				return err
			}
			err = indexed(ctx, d.pool)
			if first.stop(); err != nil {
				return err
			}
			var starts []sample
			for range 3 * b.rounds {
				p, _, err := b.b2b(ctx, d.config)
				if err != nil {
					return err
				}
				memory, err := idle(ctx, p.pid())
				p.stop()
				if err != nil {
					return err
				}
				starts = append(starts, sample{p50: p.startup, memory: memory})
			}
			m := median(starts)
			s.add(d.engine, milliseconds(m.p50), megabytes(m.memory))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// parts runs the Go benchmarks, among them the cold start of the Lambda function.
func (b *bench) parts(ctx context.Context) error {
	s := b.section("Parts, by Go benchmarks in one process", "benchmark", "time", "CPU", "memory", "allocations")
	count := fmt.Sprint(b.duration)
	if b.quick {
		count = "10x"
	}
	test := exec.CommandContext(
		ctx, "go", "test", "-run=^$", "-bench=^Benchmark(Orders|ColdStart|Get|Post|EncodeOrder)$",
		"-benchmem", "-benchtime="+count, "./cmd/...", "./internal/web", "./orders",
	)
	if b.server != nil {
		test.Env = append(os.Environ(), "TEST_"+strings.ToUpper(b.engine)+"_DSN="+b.server.DSN)
	}
	out, err := test.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		cells := strings.Fields(line)
		if !strings.HasPrefix(line, "Benchmark") || len(cells) < 8 {
			continue
		}
		value := map[string]string{}
		for i := 2; i+1 < len(cells); i += 2 {
			value[cells[i+1]] = cells[i]
		}
		duration, err := time.ParseDuration(value["ns/op"] + "ns")
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(cells[0], "Benchmark"), fmt.Sprint("-", runtime.GOMAXPROCS(0)))
		cpu := none
		if µs := value["cpu-µs/op"]; µs != "" {
			cpu = µs + " µs"
		}
		s.add(name, microseconds(duration), cpu, value["B/op"]+" B", value["allocs/op"])
	}
	return nil
}

// manyInARow places orders without a pause, and reports the figures of each tenth of the orders.
func (b *bench) manyInARow(ctx context.Context) error {
	return b.withDatabase(ctx, "in_a_row", true, func(d *database) error {
		p, at, err := b.b2b(ctx, d.config)
		if err != nil {
			return err
		}
		defer p.stop()
		s := b.section(d.engine+": orders in a row", measured...)
		var first float64
		for tenth := range int64(10) {
			l := load{clients: 32, first: tenth * b.inARow / 10, limit: b.inARow / 10}
			got, err := l.run(ctx, b.instances("b2b", []addresses{at}, p), createWithKey, d.server)
			if err != nil {
				return err
			}
			if first == 0 {
				first = got.rate
			}
			s.measured(
				fmt.Sprintf("create with key, to order %d", l.first+l.limit), l.clients, "b2b",
				fmt.Sprintf("%.2f", got.rate/first), got,
			)
		}
		return nil
	})
}
