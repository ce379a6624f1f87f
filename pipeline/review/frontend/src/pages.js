/** What every other page needs: htmx, without evaluation of text as a program. */
import "htmx.org";
