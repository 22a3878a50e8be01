from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    documentation,
    outline,
    reasons,
)

TYPESCRIPT = """import { a } from "./a";
import type B from 'b';

/**
 * Adds é.
 * @param x the x
 */
export async function add<T>(x: number, // why
  y = 2): Promise<number> {
  const z = await a.b?.c(x);
  if (z) {
    return z;
  }
  switch (x) {
    case 1:
      f();
  }
  return new Foo.Bar(y);
}

// eslint-disable-next-line
export const mul = (a: number) => {
  return a * require("fs").read();
};

@Injectable({ x: 1 })
export default class Service extends Base {
  @Input() x = 1;
  // Goes.
  @Hook("a")
  go(): void {
    this.x.y();
  }
  later = () => {
    go();
  };
}

export interface Named {
  name: string;
}
export type Pair = {
  a: string;
};
type Short = string;
enum Size {
  Small,
}
namespace Deep.Er {
  export function inside() {
    return 1;
  }
}
declare function over(a: string): void;
export default () => {
  x();
};
"""

JAVASCRIPT = """const fs = require("fs");
module.exports.run = function () {
  fs.read();
};
class A {
  #secret() {
    return 1;
  }
}
function* generate() {
  yield 1;
}
describe("adder", () => {
  it("adds one", async () => {
    expect(add(1)).toBe(2);
  });
});
"""

TSX = """export const App: FC = ({ a }) => {
  const x = useState(0);
  return <div onClick={() => go()}>{a}</div>;
};
"""


def test_typescript_definitions() -> None:
    chunks = cut_one("add.ts", TYPESCRIPT)
    assert outline(chunks) == [
        (
            "function",
            "add",
            4,
            19,
            "export async function add<T>(x: number, y = 2): Promise<number>",
        ),
        ("function", "mul", 21, 24, "export const mul = (a: number) =>"),
        ("type", "Service", 26, 37, "export default class Service extends Base"),
        ("method", "Service.go", 29, 33, "go(): void"),
        ("method", "Service.later", 34, 36, "later = () =>"),
        ("type", "Named", 39, 41, "export interface Named"),
        ("type", "Pair", 42, 44, "export type Pair"),
        ("type", "Size", 46, 48, "enum Size"),
        ("function", "Deep.Er.inside", 50, 52, "export function inside()"),
        ("function", "default", 55, 57, "export default () =>"),
    ]
    assert reasons(cut({"add.ts": TYPESCRIPT})) == {"Short": "trivial", "over": "trivial"}


def test_typescript_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("add.ts", TYPESCRIPT)
    assert chunks["add"].docstring == "Adds é.\n@param x the x"
    assert documentation(chunks["Service.go"]) == "  // Goes.\n"
    assert chunks["mul"].docstring == ""
    assert chunks["add"].callees == ("Foo.Bar", "c", "f")
    assert chunks["add"].imports == ("./a", "b", "fs")
    assert cut_lines(chunks["add"]) == [
        "const z = await a.b?.c(x);",
        "if (z) {",
        "return z;",
        "switch (x) {",
        "f();",
        "return new Foo.Bar(y);",
    ]


def test_javascript_and_tsx_definitions() -> None:
    assert outline(cut_one("run.js", JAVASCRIPT)) == [
        ("function", "module.exports.run", 2, 4, "module.exports.run = function ()"),
        ("type", "A", 5, 9, "class A"),
        ("method", "A.#secret", 6, 8, "#secret()"),
        ("function", "generate", 10, 12, "function* generate()"),
        ("test", "adder.adds one", 14, 16, 'it("adds one", async () =>'),
    ]
    app = cut_one("app.tsx", TSX)["App"]
    assert app.signature == "export const App: FC = ({ a }) =>"
    assert app.callees == ("go", "useState")


def test_a_large_file_is_cut_like_a_small_one() -> None:
    """Trees of large files hold no text: a query that asked them for it would end the process."""
    padding = "".join(f"const value{i} = require('m{i % 7}');\n" for i in range(3_000))
    chunks = cut_one("large.js", padding + JAVASCRIPT)
    assert list(chunks) == list(cut_one("run.js", JAVASCRIPT))
    assert chunks["A"].imports == ("fs", *(f"m{i}" for i in range(7)))
