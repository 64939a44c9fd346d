package org.davit.hawkbit;

import org.eclipse.hawkbit.autoconfigure.security.EnableHawkbitManagedSecurityConfiguration;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.validation.ValidationAutoConfiguration;

/** hawkBit's DDI and management APIs and its web UI in one process. */
@SpringBootApplication(exclude = ValidationAutoConfiguration.class)
@EnableHawkbitManagedSecurityConfiguration
public class Server {
    public static void main(final String[] args) {
        SpringApplication.run(Server.class, args);
    }
}
