/** Wire names of the routine review, and what its activity gives. Plain JSON. */
export const routineReviewWorkflow = 'routineReview';

/** What a review found, in short. */
export interface ReviewOutcome {
  readonly counts: { readonly high: number; readonly medium: number; readonly low: number };
  /** The weightiest, each as one line with what to do next. */
  readonly lines: readonly {
    readonly severity: 'low' | 'medium' | 'high';
    readonly subject: string;
    readonly text: string;
  }[];
  /** Findings that are not among the lines. */
  readonly more: number;
}

export interface RoutineReviewActivities {
  /** Looks at everything that was sealed, at the directory, the identities and the exceptions. Changes nothing. */
  lookAtRoutine(): Promise<ReviewOutcome>;
}
