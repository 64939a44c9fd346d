#pragma once
/// A publisher numbers the releases of an app (Manifest::sequence), so that nobody can bring an old one back, with an
/// old signature that is still good, unless the operator says so.

#include "agent/engine/phases.h"

namespace davit {

/// Whether @p part may come to this device. Errors: Sequence, naming both numbers and how to go back on purpose.
Result<void> check_sequence(const Context& context, const Part& part, const Manifest& manifest);

/// What the device takes from now on when this deployment is kept: never less than before, unless the server asked for
/// a downgrade. Going back at the device lowers nothing: the server's next word counts again.
Result<Floors> raised_floors(const Context& context);

}  // namespace davit
