package javax.annotation;

/** Stands on the generated classes; Java's own library has it no more. */
public @interface Generated {
    String[] value();

    String comments() default "";
}
