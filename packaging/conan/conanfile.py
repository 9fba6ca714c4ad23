"""The library for Conan 2: conan create packaging/conan --build=missing, from the source tree.

Meson, ninja and pkg-config are the system's. GSL is the system's as well, found by pkg-config; `-o with_gsl=conan`
takes Conan Center's.
"""
import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, load, rm, rmdir
from conan.tools.gnu import PkgConfig, PkgConfigDeps
from conan.tools.layout import basic_layout
from conan.tools.meson import Meson, MesonToolchain
from conan.tools.system.package_manager import Apt

TREE = os.path.join("..", "..")
PARTS = ["LICENSE", "meson.build", "meson_options.txt", "include/*", "src/*", "learners/*", "routers/*"]
ROOMS = ["bench", "cli", "docs", "examples", "redis", "tests"]


class Anabranch(ConanFile):
    name = "anabranch"
    description = "Regression on streams by mixtures of experts"
    license = "GPL-3.0-or-later"
    topics = ("machine-learning", "online-learning", "regression", "streaming")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "with_gsl": ["system", "conan"]}
    default_options = {"shared": False, "with_gsl": "system"}

    def set_version(self):
        self.version = re.search(r"version: '([^']+)'", load(self, os.path.join(self.recipe_folder, TREE, "meson.build"))).group(1)

    def export_sources(self):
        for part in PARTS:
            copy(self, part, os.path.join(self.recipe_folder, TREE), self.export_sources_folder)

    def configure(self):
        for what in ("libcxx", "cppstd"):
            self.settings.compiler.rm_safe(what)

    def validate(self):
        if self.settings.os != "Linux" or self.settings.arch not in ("x86_64", "armv8"):
            raise ConanInvalidConfiguration("anabranch needs 64-bit little-endian Linux")

    def requirements(self):
        if self.options.with_gsl == "conan":
            self.requires("gsl/2.7.1", transitive_libs=True)

    def system_requirements(self):
        if self.options.with_gsl == "system":
            Apt(self).check(["libgsl-dev"])

    def layout(self):
        basic_layout(self, src_folder=".")

    def generate(self):
        toolchain = MesonToolchain(self)
        for room in ROOMS:
            toolchain.project_options[room] = "disabled"
        toolchain.generate()
        PkgConfigDeps(self).generate()

    def build(self):
        meson = Meson(self)
        meson.configure()
        meson.build()

    def package(self):
        """Meson makes both kinds of the library; the package has the one that was asked for."""
        Meson(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        rm(self, "*.a" if self.options.shared else "*.so*", os.path.join(self.package_folder, "lib"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        self.cpp_info.libs = ["anabranch"]
        self.cpp_info.set_property("pkg_config_name", "anabranch")
        if self.options.shared:
            return
        self.cpp_info.system_libs = ["m", "pthread"]
        if self.options.with_gsl == "conan":
            self.cpp_info.requires = ["gsl::gsl"]
        else:
            self.cpp_info.system_libs += PkgConfig(self, "gsl").libs
