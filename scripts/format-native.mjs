// clang-format over native/ (and the benchmark's own addon); --check only reports.

import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
