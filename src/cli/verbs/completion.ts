import { Argument, type Command } from 'commander';
import { completionScript, shells, type Shell } from '../completion.js';
import type { Runtime } from '../session.js';

export function addCompletion(program: Command, runtime: Runtime): void {
  program
    .command('completion')
    .description('write a completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices([...shells]))
    .addHelpText(
      'after',
      '\nExamples:\n  eval "$(tenure completion bash)"\n  eval "$(tenure completion zsh)"\n  tenure completion fish | source',
    )
    .action((shell: Shell) => {
      runtime.io.stdout.write(completionScript(shell, program));
    });
}
