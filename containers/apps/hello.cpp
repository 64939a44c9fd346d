// The first example app: says hello and its version.
#include "containers/apps/server.h"

int main(int argc, char** argv) {
    const auto settings = apps::read_settings("hello", 8080, argc, argv);
    return apps::serve(settings, [&] { return "Hello, this is version " + settings.version + "\n"; });
}
