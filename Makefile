# A thin front for Meson; `make` alone builds. Everything lands in $(BUILD). `make` and `make install` only say what is
# missing; the other targets install it (as root, or through sudo).
BUILD ?= build

.PHONY: site all deps demo check check-long lint coverage bench install clean
all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@tools/need build
	meson setup $(BUILD)

# What building and the quick tests need.
deps:
	@tools/need install build test

# A drifting stream, a mixture that follows it, and how its experts shared the work.
demo:
	@tools/need install build
	@$(MAKE) --no-print-directory all
	@$(BUILD)/cli/anabranch generate friedman --drift gra -n 40000 --seed 1 -o $(BUILD)/demo.csv
	@echo
	@echo "Friedman's function of ten features, five of them noise; the five others swap their roles at row 14,000 and"
	@echo "get them back at row 30,000. Every row is predicted before it is learned; the best possible rmse is 1."
	@echo
	@$(BUILD)/cli/anabranch eval --every 2000 $(BUILD)/demo.csv

check:
	@tools/need install build test
	@tools/check $(BUILD) --no-suite long

check-long:
	@tools/need install build test long
	@tools/arm64-gsl $(BUILD)/arm64
	@ARM_ROOT=$(abspath $(BUILD)/arm64) tools/check $(BUILD)

# What three static analysers find; every exception has its reason in tools/lint, .clang-tidy or tools/cppcheck.txt.
lint:
	@tools/need install build test lint
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD)
	@tools/lint $(BUILD)

# Lines and branches that the quick tests reach, and which they do not; fails below 95 % of lines or 85 % of branches.
coverage:
	@tools/need install build test coverage
	@tools/coverage build-coverage

# What a sample costs, in about three minutes; tools/bench compare OLD.json NEW.json tells two runs apart.
bench: all
	@tools/bench run $(BUILD) $(BUILD)/bench.json

# The loader finds a new library in a system folder after ldconfig; a staged install (DESTDIR) leaves that to the package.
install: all
	meson install -C $(BUILD)
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ] || PATH="$$PATH:/sbin:/usr/sbin" ldconfig

# The manual as a site, in $(BUILD)/site.
site: all
	@tools/site $(BUILD)

clean:
	rm -rf $(BUILD)
