# PlatformIO calls this for a program that uses the library: cargo builds the archive for the chip, and the program links it.
#
#   board_build.tierpool_features = reserve     in platformio.ini: features of the archive, with commas between
#   board_build.tierpool_target = TARGET        a Rust target, for a chip that the table does not know
import os
import subprocess
import sys

SINGLE_CORE = "tierpool/portable-atomic-unsafe-assume-single-core"

# The name of a chip begins with: its Rust target, and a feature where the chip has no compare-and-swap.
CHIPS = [
    ("esp32s2", "xtensa-esp32s2-none-elf", [SINGLE_CORE]),
    ("esp32s3", "xtensa-esp32s3-none-elf", []),
    ("esp32c2", "riscv32imc-unknown-none-elf", [SINGLE_CORE]),
    ("esp32c3", "riscv32imc-unknown-none-elf", [SINGLE_CORE]),
    ("esp32c", "riscv32imac-unknown-none-elf", []),
    ("esp32h2", "riscv32imac-unknown-none-elf", []),
    ("esp32p4", "riscv32imafc-unknown-none-elf", []),
    ("esp32", "xtensa-esp32-none-elf", []),
    ("nrf51", "thumbv6m-none-eabi", [SINGLE_CORE]),
    ("nrf52", "thumbv7em-none-eabihf", []),
    ("stm32f0", "thumbv6m-none-eabi", [SINGLE_CORE]),
    ("stm32l0", "thumbv6m-none-eabi", [SINGLE_CORE]),
    ("stm32f1", "thumbv7m-none-eabi", []),
    ("stm32f4", "thumbv7em-none-eabihf", []),
    ("stm32l4", "thumbv7em-none-eabihf", []),
    ("stm32f7", "thumbv7em-none-eabihf", []),
    ("stm32h7", "thumbv7em-none-eabihf", []),
]

# Features that change how much memory a pool takes: the header must know them.
DEFINITIONS = {"reserve": "TIERPOOL_RESERVE", "histogram": "TIERPOOL_HISTOGRAM"}


def target_of(chip):
    """The Rust target of a chip, and the features that it needs."""
    for name, target, features in CHIPS:
        if chip.lower().startswith(name):
            return target, features
    sys.exit("tierpool: no Rust target is known for %s; set board_build.tierpool_target to one of `rustup target list`" % chip)


def cargo(target, features, into):
    """The command that builds the archive, and where that is then. No target is this machine's."""
    command = ["cargo"]
    if target.startswith("xtensa"):
        command += ["+esp"]  # Rust for Xtensa comes by espup, and brings `core` as sources
    command += ["rustc", "--release", "--package", "tierpool-capi", "--lib", "--crate-type", "staticlib"]
    if target:
        command += ["--target", target]
    for option in ['opt-level="s"', "lto=true", "codegen-units=1", "debug=false"]:
        command += ["--config", "profile.release." + option]
    for feature in features:
        command += ["--features", feature]
    if target.startswith("xtensa"):
        command += ["-Zbuild-std=core"]
    return command + ["--target-dir", into], os.path.join(into, target, "release")


def add_to(library, program, sources):
    """Builds the archive, and adds it to what the program links."""
    option = lambda name: library.GetProjectOption("board_build.tierpool_" + name, "")
    features = [feature.strip() for feature in option("features").split(",") if feature.strip()]
    target, needed = option("target"), []
    if not target and "BOARD" in library:
        target, needed = target_of(library.BoardConfig().get("build.mcu"))
    command, folder = cargo(target, features + needed, os.path.join(library.subst("$BUILD_DIR"), "tierpool"))
    print("tierpool: cargo builds for %s" % (target or "this machine"))
    if subprocess.call(command, cwd=sources) != 0:
        sys.exit("tierpool: cargo has failed; `rustup target add %s` brings a target that is missing" % target)
    definitions = [DEFINITIONS[feature] for feature in features if feature in DEFINITIONS]
    library.Append(CPPDEFINES=definitions)
    program.Append(CPPDEFINES=definitions, LIBPATH=[folder], LIBS=["tierpool_capi"] + ([] if target else ["pthread", "dl", "m"]))


if "Import" in globals():  # by PlatformIO, and not by a test
    Import("env", "pio_lib_builder")  # noqa: F821
    add_to(env, DefaultEnvironment(), pio_lib_builder.path)  # noqa: F821
