# A stub of PlatformIO: calls the script of the library for a chip, and prints what it adds. The cargo that it finds is a script.
import os
import runpy
import sys

chip, sources, into = sys.argv[1:4]
options = dict(option.split("=") for option in sys.argv[4:])


class Env(dict):
    added = {}

    def GetProjectOption(self, name, default):
        return options.get(name, default)

    def BoardConfig(self):
        return {"build.mcu": chip}

    def subst(self, text):
        return text.replace("$BUILD_DIR", into)

    def Append(self, **added):
        for name, values in added.items():
            self.added.setdefault(name, []).extend(values)


class Builder:
    path = sources


env, program = Env(BOARD="b") if chip != "native" else Env(), Env()
program.added = {}
names = {
    "Import": lambda *_: None,
    "env": env,
    "pio_lib_builder": Builder,
    "DefaultEnvironment": lambda: program,
}
runpy.run_path(os.path.join(sources, "cmake", "platformio.py"), init_globals=names)
for name, values in program.added.items():
    print(name, *values)
