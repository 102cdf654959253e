//! Reads back from the compiled program how `vpdpbusd` of the AVX-VNNI kernels is encoded.
//!
//! The kernels are compiled twice: with the prefix VEX, for processors that have AVX-VNNI and no AVX-512, and with EVEX
//! for those with AVX-512. Tests run one of the two, the one that the processor has. This check shows that the other is
//! the same program: it has the same instructions in the same order, and only the prefix of `vpdpbusd` differs.

use anyhow::{Context, Result, ensure};

use crate::root;
use crate::step::{Step, require};

/// A part of the names of the functions that are looked at.
const KERNELS: &str = "avx_vnni";

/// The first byte of an instruction with the prefix VEX (of three bytes), and with EVEX, by Intel's manual (volume 2A,
/// 2.3.5 and 2.7.1).
const VEX: &str = "c4";
const EVEX: &str = "62";

/// A compiled function that has `vpdpbusd`.
#[derive(Debug, Default)]
struct Function {
    name: String,
    /// Of each instruction but those that fill gaps, its first byte and its text without what depends on where it lies.
    instructions: Vec<(String, String)>,
}

/// Builds the engine and checks it.
pub(crate) fn check() -> Result<()> {
    require("objdump", "apt-get install binutils")?;
    Step::new("cargo build --locked --release -p bedside-engine --no-default-features --example repeat").run()?;
    let program = root().join("target/release/examples/repeat").display().to_string();
    let count = compare(&functions(&Step::new("objdump -d -w").arg(&program).output()?))?;
    eprintln!("\nvpdpbusd: {count} functions with VEX are those with EVEX but for the prefix.");
    Ok(())
}

/// The functions of [`KERNELS`] that have `vpdpbusd`, in what `objdump -d -w` prints.
fn functions(printed: &str) -> Vec<Function> {
    let mut functions: Vec<Function> = vec![];
    let mut is_kernel = false;
    for line in printed.lines() {
        if let Some((_, name)) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
            is_kernel = name.contains(KERNELS);
            functions.extend(is_kernel.then(|| Function { name: name.to_owned(), instructions: vec![] }));
        } else if let (true, Some(function)) = (is_kernel, functions.last_mut()) {
            function.instructions.extend(instruction(line));
        }
    }
    functions.retain(Function::multiplies);
    functions
}

/// The first byte and the text of the instruction in a line such as `  401136:\tc4 e2 7d 50 c1 \tvpdpbusd %ymm1, ...`.
/// None where there is none, or one that only fills a gap.
fn instruction(line: &str) -> Option<(String, String)> {
    let mut parts = line.split('\t').skip(1);
    let (bytes, text) = (parts.next()?, parts.next()?.trim());
    let text = text.strip_prefix("{vex} ").unwrap_or(text);
    let fills = text.split(' ').any(|word| word.starts_with("nop")) || ["xchg   %ax,%ax", "int3"].contains(&text);
    (!fills).then(|| (bytes.get(..2).unwrap_or_default().to_owned(), placeless(text)))
}

/// The text without what says where the function lies: the target of a jump, the table of a `match`, and the
/// displacement of an address relative to the instruction. The address itself, which follows as a comment, stays.
fn placeless(text: &str) -> String {
    let mnemonic = text.split(' ').next().unwrap_or_default();
    let Some((before, address)) = text.split_once("(%rip)") else {
        return if mnemonic.starts_with('j') { mnemonic } else { text }.to_owned();
    };
    if mnemonic == "lea" {
        return mnemonic.to_owned();
    }
    let operands = before.rsplit_once("0x").map_or(before, |(operands, _)| operands.trim_end_matches('-'));
    format!("{operands}(%rip){address}")
}

impl Function {
    fn multiplies(&self) -> bool {
        self.prefixes().next().is_some()
    }

    /// The first byte of each `vpdpbusd`.
    fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.instructions.iter().filter(|(_, text)| text.starts_with("vpdpbusd")).map(|(byte, _)| &byte[..])
    }

    fn texts(&self) -> Vec<&str> {
        self.instructions.iter().map(|(_, text)| &text[..]).collect()
    }
}

/// Compares the functions whose `vpdpbusd` have the prefix VEX with those that have EVEX, and returns the number of
/// pairs. Fails where one has both, where a function with VEX has any other instruction with EVEX, or where a function
/// has no twin.
fn compare(functions: &[Function]) -> Result<usize> {
    let (vex, evex): (Vec<_>, Vec<_>) = functions.iter().partition(|function| function.prefixes().any(|at| at == VEX));
    ensure!(!vex.is_empty(), "no function of {KERNELS} has vpdpbusd with VEX");
    for Function { name, instructions } in &vex {
        let wrong = instructions.iter().find(|(byte, _)| byte == EVEX);
        ensure!(wrong.is_none(), "{name}: EVEX, which processors without AVX-512 lack: {wrong:?}");
    }
    ensure!(vex.len() == evex.len(), "{} functions with VEX, {} with EVEX", vex.len(), evex.len());
    let mut twins: Vec<_> = evex.iter().map(|function| function.texts()).collect();
    for function in &vex {
        let texts = function.texts();
        let twin = twins.iter().position(|twin| *twin == texts);
        let twin = twin.with_context(|| format!("{}: no function with EVEX has its instructions", function.name))?;
        twins.swap_remove(twin);
    }
    Ok(vex.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two functions as binutils 2.40 prints them. The jump and the constant lie elsewhere, and a gap is filled.
    const PRINTED: &str = "\
0000000000001000 <_ZN8avx_vnni4lineE>:
    1000:\tc5 fd 6f 05 f8 0f 00 00 \tvmovdqa 0xff8(%rip),%ymm0        # 2000 <bias>
    1008:\t66 90                \txchg   %ax,%ax
    100a:\tc4 e2 6d 50 c1       \t{vex} vpdpbusd %ymm1,%ymm2,%ymm0
    100f:\t75 f9                \tjne    100a <_ZN8avx_vnni4lineE+0xa>
    1011:\tc3                   \tret

0000000000001020 <_ZN8avx_vnni4lineF>:
    1020:\tc5 fd 6f 05 d8 0f 00 00 \tvmovdqa 0xfd8(%rip),%ymm0        # 2000 <bias>
    1028:\t62 f2 6d 28 50 c1    \tvpdpbusd %ymm1,%ymm2,%ymm0
    102e:\t75 f8                \tjne    1028 <_ZN8avx_vnni4lineF+0x8>
    1030:\tc3                   \tret

0000000000001040 <main>:
    1040:\t62 f2 6d 28 50 c1    \tvpdpbusd %ymm1,%ymm2,%ymm0
";

    #[test]
    fn twins_differ_in_the_prefix_alone() {
        assert_eq!(compare(&functions(PRINTED)).expect("twins"), 1);
        // The other's constant; another order of the factors; the twin's prefix; an instruction of AVX-512 beside it.
        for (from, to) in [
            ("2000 <bias>\n    1028", "2020 <other>\n    1028"),
            ("{vex} vpdpbusd %ymm1,%ymm2", "{vex} vpdpbusd %ymm2,%ymm1"),
            ("c4 e2 6d 50 c1 ", "62 f2 6d 28 50 c1 "),
            ("    1011:\tc3", "    1011:\t62 f1 7e 48 e6 c0 \tvcvtdq2pd %ymm0,%zmm0\n    1017:\tc3"),
        ] {
            assert!(PRINTED.contains(from), "{from}");
            assert!(compare(&functions(&PRINTED.replace(from, to))).is_err(), "{to}");
        }
    }
}
